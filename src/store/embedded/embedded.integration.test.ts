// The embedded database as processes: kill -9 of server and of database process, a second server, durability check.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../core/index.ts';
import { openDatabase, withTransaction, type OpenedDatabase } from '../database.ts';
import { openTestPlace, type TestPlace } from '../testing.ts';
import { commitsReachDisk, openEngine } from './engine.ts';
import { Supervisor } from './supervisor.ts';
import { identify, processState } from './process-identity.ts';

const WRITER = fileURLToPath(new URL('../../../test/fixtures/store-writer.ts', import.meta.url));

type Message = { databasePid?: number; acknowledged?: number; failed?: string };

describe('the embedded database', () => {
  let place: TestPlace;
  const opened: OpenedDatabase[] = [];
  const writers: ChildProcess[] = [];

  beforeEach(async () => {
    place = await openTestPlace('');
  });
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close();
    for (const writer of writers.splice(0)) writer.kill('SIGKILL');
    await place.remove();
  });

  async function open(): Promise<OpenedDatabase> {
    const database = await openDatabase({ ...place.options, logger: silentLogger() });
    opened.push(database);
    return database;
  }

  function writer(mode = 'write'): ChildProcess {
    const { dataDirectory, template } = place.options;
    const child = fork(WRITER, [dataDirectory, template ?? '', mode], { execArgv: [] });
    writers.push(child);
    return child;
  }

  it('keeps its folders private', async () => {
    await open();
    const { dataDirectory } = place.options;
    for (const folder of ['run', 'database', 'store.lock']) {
      expect(statSync(join(dataDirectory, folder)).mode & 0o077, folder).toBe(0);
    }
  });

  it('initialises a new data directory aside, also after an attempt that broke off', async () => {
    const { dataDirectory } = place.options;
    const left = join(dataDirectory, 'database.new-1');
    mkdirSync(join(left, 'base'), { recursive: true });
    const database = await openDatabase({ dataDirectory, logger: silentLogger() });
    opened.push(database);
    await database.ping();
    expect(existsSync(left)).toBe(false);
    expect(statSync(join(dataDirectory, 'database')).mode & 0o077).toBe(0);
  });

  it('takes a data directory relative to the current one', async () => {
    const dataDirectory = relative(process.cwd(), place.options.dataDirectory);
    const database = await openDatabase({ ...place.options, dataDirectory, logger: silentLogger() });
    opened.push(database);
    await database.ping();
  });

  it('works below a path too long for a socket', async () => {
    const dataDirectory = join(place.options.dataDirectory, 'd'.repeat(120));
    mkdirSync(dataDirectory);
    const database = await openDatabase({ ...place.options, dataDirectory, logger: silentLogger() });
    opened.push(database);
    await database.ping();
    expect(existsSync(join(dataDirectory, 'run'))).toBe(false);
  });

  it('refuses a second server and names the first', async () => {
    const first = writer('idle');
    await once(first, 'message');
    await expect(open()).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(`process ${first.pid}`),
    });
    const second = writer('idle');
    const [message] = (await once(second, 'message')) as [Message];
    expect(message.failed).toContain(`STORE_LOCKED: `);
  });

  it('loses nothing acknowledged when the server is killed, and opens again at once', async () => {
    for (let round = 0; round < 3; round++) {
      const server = writer();
      let acknowledged = -1;
      let databasePid = 0;
      server.on('message', (message: Message) => {
        acknowledged = message.acknowledged ?? acknowledged;
        databasePid = message.databasePid ?? databasePid;
      });
      while (acknowledged < 20) await sleep(5);
      const child = identify(databasePid);
      server.kill('SIGKILL');
      await once(server, 'exit');
      const started = performance.now();
      const database = await open();
      expect(performance.now() - started).toBeLessThan(15_000);
      expect(processState(child), 'the old database process').toBe('gone');
      const { rows } = await sql<{ count: number; last: number }>`
        select count(*) as count, max(number) as last from written`.execute(database.db);
      expect(rows[0]?.last).toBeGreaterThanOrEqual(acknowledged);
      expect(rows[0]?.count).toBe((rows[0]?.last ?? 0) + 1);
      await sql`drop table written`.execute(database.db);
      await database.close();
      opened.pop();
    }
  });

  it('waits for the database process of a killed server to end its statement', async () => {
    const server = writer('busy');
    const [message] = (await once(server, 'message')) as [Message];
    const child = identify(message.databasePid);
    await sleep(300);
    server.kill('SIGKILL');
    await once(server, 'exit');
    expect(processState(child)).toBe('running');
    await (await open()).ping();
    expect(processState(child)).toBe('gone');
  });

  it('refuses to run, and leaves no process, when the old database process does not end in time', async () => {
    const database = await open();
    const lockDirectory = join(place.options.dataDirectory, 'store.lock');
    const supervisor = new Supervisor(
      {
        databaseDirectory: join(place.options.dataDirectory, 'database'),
        lockDirectory,
        socketPath: join(place.options.dataDirectory, 'other.sock'),
        lockWaitMs: 200,
      },
      silentLogger(),
      () => undefined,
    );
    await expect(supervisor.start()).rejects.toMatchObject({
      code: 'STORE_LOCK_TIMEOUT',
      message: expect.stringContaining(String(database.databasePid())),
    });
    expect(supervisor.pid).toBeUndefined();
    await database.ping();
  });

  it('recovers by itself when the database process is killed under load, losing nothing acknowledged', async () => {
    const database = await open();
    let restarts = 0;
    database.onRestart(() => restarts++);
    await sql`create table written (worker int, number int, primary key (worker, number))`.execute(
      database.db,
    );
    const acknowledged: string[] = [];
    let stop = false;
    const load = Array.from({ length: 4 }, async (_, worker) => {
      for (let number = 0; !stop; number++) {
        await withTransaction(database.db, async (transaction) => {
          await sql`insert into written values (${worker}, ${number})`.execute(transaction);
        }).then(
          () => acknowledged.push(`${worker}/${number}`),
          () => undefined,
        );
      }
    });
    for (let kills = 0; kills < 3; kills++) {
      await sleep(400);
      const before = acknowledged.length;
      const killed = performance.now();
      process.kill(database.databasePid() ?? 0, 'SIGKILL');
      while (restarts <= kills || acknowledged.length <= before + 10) await sleep(10);
      expect(performance.now() - killed).toBeLessThan(10_000);
    }
    stop = true;
    await Promise.all(load);
    const { rows } = await sql<{ key: string }>`select worker || '/' || number as key from written`.execute(
      database.db,
    );
    const stored = new Set(rows.map((row) => row.key));
    expect(acknowledged.length).toBeGreaterThan(50);
    expect(acknowledged.filter((key) => !stored.has(key))).toEqual([]);
  });

  it('leaves no process and no block behind when it is closed', async () => {
    const database = await open();
    const child = identify(database.databasePid());
    await database.close();
    opened.pop();
    expect(processState(child)).toBe('gone');
    await (await open()).ping();
  });

  it('sees that commits reach the disk, and that they do not when the hook is missing', async () => {
    const database = await open();
    await database.close();
    opened.pop();
    const engine = await openEngine(join(place.options.dataDirectory, 'database'), (reason) => {
      throw new Error(reason);
    });
    expect(await commitsReachDisk(engine)).toBe(true);
    const { FS } = engine.pglite.Module;
    const operations = (FS.filesystems.NODEFS as unknown as { stream_ops: { fsync?: unknown } }).stream_ops;
    delete operations.fsync;
    expect(await commitsReachDisk(engine)).toBe(false);
    await engine.pglite.close();
  });
});
