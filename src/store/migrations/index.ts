// Every migration, in order. Each folder's tables stand in one file named after the folder.
import type { Migration } from '../migration.ts';
import { migration as store } from './0001-store.ts';
import { migration as identity } from './0002-identity.ts';
import { migration as registry } from './0003-registry.ts';
import { migration as scan } from './0004-scan.ts';
import { migration as server } from './0005-server.ts';

export const migrations: readonly Migration[] = [store, identity, registry, scan, server];
