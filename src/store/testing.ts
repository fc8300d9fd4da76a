// Test support (imported by tests only): a store of its own for each test, on the embedded database or on a server.
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import {
  silentLogger,
  systemClock,
  systemRandomness,
  type Clock,
  type Logger,
  type Randomness,
} from '../core/index.ts';
import { openDatabase, type OpenedDatabase } from './database.ts';
import { migrate } from './migrate.ts';
import { openStore } from './open.ts';
import type { Store } from './types.ts';

export interface TestDatabase extends OpenedDatabase {
  readonly dataDirectory: string;
}

export interface TestDatabaseOptions {
  readonly logger?: Logger;
  /** Default true. */
  readonly migrated?: boolean;
}

/**
 * A fresh, migrated database in a temporary data directory; both are removed by `close`. With TEST_DATABASE_URL or
 * DATABASE_URL set it is a new database on that server, else the embedded one.
 */
export async function openTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const place = await openTestPlace();
  const logger = options.logger ?? silentLogger();
  const opened = await openDatabase({ ...place.options, logger });
  if (options.migrated !== false) await migrate(opened.db);
  return {
    ...opened,
    dataDirectory: place.options.dataDirectory,
    close: async () => {
      await opened.close();
      await place.remove();
    },
  };
}

export interface TestStore extends Store {
  /** To open the same store again after `close`. */
  readonly place: TestPlace;
}

export interface TestStoreOptions {
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly randomness?: Randomness;
  /** A place from `openTestPlace`, kept when the store is closed; else a new one, removed when it is closed. */
  readonly place?: TestPlace;
}

/** A whole store on a fresh database (see {@link openTestPlace}). */
export async function openTestStore(options: TestStoreOptions = {}): Promise<TestStore> {
  const place = options.place ?? (await openTestPlace());
  const store = await openStore({
    ...place.options,
    logger: options.logger ?? silentLogger(),
    clock: options.clock ?? systemClock,
    randomness: options.randomness ?? systemRandomness,
  });
  return {
    ...store,
    place,
    close: async () => {
      await store.close();
      if (options.place === undefined) await place.remove();
    },
  };
}

export interface TestPlace {
  readonly options: {
    readonly dataDirectory: string;
    readonly databaseUrl?: string;
    readonly template?: string;
  };
  remove(): Promise<void>;
}

/** A temporary data directory, and a new database when a server is configured: what a store is opened with. */
export async function openTestPlace(
  serverUrl: string | undefined = process.env['TEST_DATABASE_URL'] ?? process.env['DATABASE_URL'],
): Promise<TestPlace> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'breakwater-test-'));
  const removeFiles = (): void => rmSync(dataDirectory, { recursive: true, force: true });
  if (serverUrl === undefined || serverUrl === '') {
    return {
      options: { dataDirectory, template: await embeddedTemplate() },
      remove: () => Promise.resolve(removeFiles()),
    };
  }
  const name = `breakwater_test_${randomBytes(6).toString('hex')}`;
  await administer(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    options: { dataDirectory, databaseUrl: url.href },
    remove: async () => {
      await administer(serverUrl, `drop database if exists ${name} with (force)`);
      removeFiles();
    },
  };
}

async function administer(serverUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** An initialised, unmigrated data folder, made once per version of PGlite: initdb takes seconds. */
async function embeddedTemplate(): Promise<string> {
  const packageFile = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const version = /"version": "([^"]+)"/.exec(
    readFileSync(join(packageFile, '../../package.json'), 'utf8'),
  )?.[1];
  const template = join(tmpdir(), `breakwater-template-${version ?? 'unknown'}-${process.getuid?.() ?? 0}`);
  if (existsSync(template)) return template;
  const dataDirectory = mkdtempSync(join(tmpdir(), 'breakwater-template-'));
  try {
    const opened = await openDatabase({ dataDirectory, logger: silentLogger() });
    await opened.close();
    const aside = `${template}.${randomBytes(6).toString('hex')}`;
    cpSync(join(dataDirectory, 'database'), aside, { recursive: true });
    try {
      renameSync(aside, template);
    } catch {
      // Another test process was faster.
      rmSync(aside, { recursive: true, force: true });
    }
  } finally {
    rmSync(dataDirectory, { recursive: true, force: true });
  }
  return template;
}
