// Every migration, in order. Each folder's tables stand in one file named after the folder.
import type { Migration } from '../migration.ts';
import { migration as store } from './0001-store.ts';
import { migration as identity } from './0002-identity.ts';
import { migration as registry } from './0003-registry.ts';
import { migration as scan } from './0004-scan.ts';
import { migration as server } from './0005-server.ts';
import { migration as secrets } from './0006-secrets.ts';
import { migration as continuous } from './0007-continuous.ts';
import { migration as exemptions } from './0008-exemptions.ts';
import { migration as connections } from './0009-connections.ts';

export const migrations: readonly Migration[] = [
  store,
  identity,
  registry,
  scan,
  server,
  secrets,
  continuous,
  exemptions,
  connections,
];
