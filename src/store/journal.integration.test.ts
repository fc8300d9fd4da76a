// The journal with a real database: exactly once through kills, damage, failing importers and several processes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLogger, silentLogger, systemRandomness, type Logger } from '../core/index.ts';
import { openDatabase } from './database.ts';
import { createJournal, type ClosableJournal, type JournalOptions } from './journal.ts';
import { migrate } from './migrate.ts';
import { openTestDatabase, openTestPlace, type TestDatabase } from './testing.ts';
import type { JournalImporter } from './types.ts';

const insert: JournalImporter = async (records, transaction) => {
  await sql`insert into taken (n) select unnest(${records.map((record) => record['n'])}::bigint[])`.execute(
    transaction,
  );
};

/** A logger that keeps what is logged as an error. */
function recordingLogger(): { logger: Logger; errors: { code?: unknown; msg: string }[] } {
  const errors: { code?: unknown; msg: string }[] = [];
  const logger = createLogger('silent').child({});
  logger.error = ((fields: { code?: unknown }, msg: string) => {
    errors.push({ code: fields.code, msg });
  }) as Logger['error'];
  return { logger, errors };
}

describe('journal', () => {
  let database: TestDatabase;
  let directory: string;
  const opened: ClosableJournal[] = [];
  beforeAll(async () => {
    database = await openTestDatabase();
    await sql`create table taken (n bigint primary key)`.execute(database.db);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'breakwater-journal-'));
    await sql`truncate taken, journal_position, journal_dead`.execute(database.db);
  });
  afterEach(async () => {
    for (const journal of opened.splice(0)) await journal.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function make(options: Partial<JournalOptions> = {}): Promise<ClosableJournal> {
    const journal = await createJournal({
      directory,
      db: database.db,
      logger: silentLogger(),
      randomness: systemRandomness,
      importDelayMs: 5,
      ...options,
    });
    opened.push(journal);
    return journal;
  }

  async function taken(): Promise<number[]> {
    const { rows } = await sql<{ n: number }>`select n from taken order by n`.execute(database.db);
    return rows.map((row) => row.n);
  }

  /** A journal folder as a killed process leaves it: no owner lives. */
  async function leftBehind(name: string, count: number): Promise<string> {
    const folder = join(directory, name.repeat(32));
    const { JournalWriter } = await import('./journal-writer.ts');
    await mkdir(folder, { recursive: true });
    const writer = new JournalWriter({
      directory: folder,
      logger: silentLogger(),
      windowMs: 1,
      segmentBytes: 4_000,
      onDurable: () => undefined,
    });
    for (let n = 0; n < count; n++) {
      void writer.append('taken', { n });
      if (n % 50 === 49) await writer.flush();
    }
    await writer.close();
    return folder;
  }

  it('imports what was appended, in batches within the row limit, and leaves nothing behind', async () => {
    const journal = await make({ segmentBytes: 20_000 });
    const sizes: number[] = [];
    journal.consume('taken', async (records, transaction) => {
      sizes.push(records.length);
      await insert(records, transaction);
    });
    await Promise.all(Array.from({ length: 3_000 }, (_, n) => journal.append('taken', { n })));
    await journal.drain();
    expect(await taken()).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
    expect(Math.max(...sizes)).toBeLessThan(500);
    await journal.close();
    expect(await readdir(directory)).toEqual([]);
    const { rows } = await sql`select * from journal_position`.execute(database.db);
    expect(rows).toEqual([]);
  });

  it('imports by itself soon after', async () => {
    const journal = await make();
    journal.consume('taken', insert);
    await journal.append('taken', { n: 7 });
    await expect.poll(taken, { timeout: 5_000 }).toEqual([7]);
  });

  it('keeps records of a kind until its importer is registered, also over a restart', async () => {
    const first = await make();
    await first.append('taken', { n: 1 });
    await first.drain();
    await first.close();
    const second = await make();
    await second.append('taken', { n: 2 });
    second.consume('taken', insert);
    await second.drain();
    expect(await taken()).toEqual([1, 2]);
  });

  it('puts records of unknown kinds aside after the grace time, losing none', async () => {
    const journal = await make({ importerGraceMs: 0 });
    journal.consume('taken', insert);
    await journal.append('unheard', { n: 1, text: 'kept' });
    await journal.append('taken', { n: 2 });
    await journal.drain();
    expect(await taken()).toEqual([2]);
    const { rows } = await sql`select kind, record from journal_dead`.execute(database.db);
    expect(rows).toEqual([{ kind: 'unheard', record: '{"n":1,"text":"kept"}' }]);
  });

  it('puts the one record aside that no transaction takes', async () => {
    const { logger } = recordingLogger();
    const journal = await make({ logger });
    journal.consume('taken', insert);
    for (const n of [1, 2, 'poison', 3, 4]) await journal.append('taken', { n });
    await expect.poll(taken, { timeout: 20_000 }).toEqual([1, 2, 3, 4]);
    const { rows } = await sql`select sequence, record from journal_dead`.execute(database.db);
    expect(rows).toEqual([{ sequence: 3, record: '{"n":"poison"}' }]);
  });

  it('imports once when the importer failed after its rows were written', async () => {
    const journal = await make();
    let failures = 2;
    journal.consume('taken', async (records, transaction) => {
      await insert(records, transaction);
      if (failures-- > 0) throw new Error('broken off');
    });
    for (let n = 0; n < 50; n++) await journal.append('taken', { n });
    await expect.poll(taken, { timeout: 10_000 }).toHaveLength(50);
  });

  it('takes over folders of dead processes, cutting a torn end', async () => {
    const folder = await leftBehind('a', 200);
    const last = (await readdir(folder)).toSorted().at(-1)!;
    await appendFile(join(folder, last), Buffer.from('b74a524e000000ff00', 'hex'));
    const { logger, errors } = recordingLogger();
    const journal = await make({ logger });
    journal.consume('taken', insert);
    await journal.drain();
    expect(await taken()).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(errors).toEqual([]);
    expect(await readdir(directory)).toHaveLength(1);
  });

  it('reports damaged bytes and imports everything behind them', async () => {
    const folder = await leftBehind('b', 200);
    const [first] = (await readdir(folder)).toSorted();
    const file = await open(join(folder, first!), 'r+');
    await file.write(Buffer.alloc(100, 0xff), 0, 100, 150);
    await file.close();
    const { logger, errors } = recordingLogger();
    const journal = await make({ logger });
    journal.consume('taken', insert);
    await journal.drain();
    const numbers = await taken();
    expect(numbers.length).toBeGreaterThan(190);
    expect(numbers.length).toBeLessThan(200);
    expect(numbers).toContain(199);
    expect(errors.map((error) => error.code)).toContain('STORE_JOURNAL_DAMAGED');
    expect(errors.map((error) => error.msg)).toContain(
      `${200 - numbers.length} journal records were lost on disk`,
    );
  });

  it('does not touch the folder of a living process in the same directory', async () => {
    const [one, two] = [await make(), await make()];
    one.consume('taken', insert);
    two.consume('taken', insert);
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? one : two).append('taken', { n })),
    );
    await Promise.all([one.drain(), two.drain()]);
    expect(await taken()).toHaveLength(100);
    await one.close();
    await two.append('taken', { n: 1_000 });
    await two.drain();
    expect(await taken()).toHaveLength(101);
  });

  it('works through the loss of the database between import and commit', async () => {
    let losses = 1;
    const journal = await make();
    journal.consume('taken', async (records, transaction) => {
      await insert(records, transaction);
      if (losses-- <= 0) return;
      const pid = database.databasePid();
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
      else await sql`select pg_terminate_backend(pg_backend_pid())`.execute(transaction);
    });
    await Promise.all(Array.from({ length: 20 }, (_, n) => journal.append('taken', { n })));
    await expect.poll(() => losses, { timeout: 10_000 }).toBeLessThan(0);
    await journal.drain();
    expect(await taken()).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });
});

const WRITER = `
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
const [databaseModule, journalModule, coreModule] = process.argv.slice(1);
const { openDatabase } = await import(databaseModule);
const { createJournal } = await import(journalModule);
const { silentLogger, systemRandomness } = await import(coreModule);
const { place, from } = JSON.parse(await new Promise((resolve) => createInterface({ input: process.stdin }).once('line', resolve)));
const { db } = await openDatabase({ ...place, logger: silentLogger() });
const journal = await createJournal({
  directory: place.dataDirectory + '/journal', db, logger: silentLogger(), randomness: systemRandomness,
  importDelayMs: 1, segmentBytes: 3000, windowMs: 2,
});
journal.consume('taken', async (records, transaction) => {
  await sql\`insert into taken (n) select unnest(\${records.map((record) => record.n)}::bigint[])\`.execute(transaction);
});
for (let n = from; ; n++) {
  journal.append('taken', { n }).then(() => process.stdout.write(n + '\\n'));
  if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}
`;

describe('journal under kill -9', () => {
  it('imports every acknowledged record exactly once', async () => {
    const place = await openTestPlace();
    const acknowledged = new Set<number>();
    try {
      const setup = await openDatabase({ ...place.options, logger: silentLogger() });
      await migrate(setup.db);
      await sql`create table taken (n bigint primary key)`.execute(setup.db);
      await setup.close();
      for (let round = 0; round < 6; round++) {
        const modules = ['./database.ts', './journal.ts', '../core/index.ts'].map(
          (path) => new URL(path, import.meta.url).href,
        );
        const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, ...modules], {
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        child.stdin.write(`${JSON.stringify({ place: place.options, from: round * 1_000_000 })}\n`);
        const lines = createInterface({ input: child.stdout });
        lines.on('line', (line) => acknowledged.add(Number(line)));
        await once(lines, 'line');
        await new Promise((resolve) => setTimeout(resolve, 150 + round * 83));
        child.kill('SIGKILL');
        await once(child, 'close');
      }
      const database = await openDatabase({ ...place.options, logger: silentLogger() });
      const journal = await createJournal({
        directory: join(place.options.dataDirectory, 'journal'),
        db: database.db,
        logger: silentLogger(),
        randomness: systemRandomness,
      });
      // A record imported twice would violate the primary key and be put aside.
      journal.consume('taken', insert);
      await journal.drain();
      const { rows } = await sql<{ n: number }>`select n from taken`.execute(database.db);
      const imported = new Set(rows.map((row) => row.n));
      expect([...acknowledged].filter((n) => !imported.has(n))).toEqual([]);
      expect(acknowledged.size).toBeGreaterThan(100);
      expect((await sql`select 1 from journal_dead`.execute(database.db)).rows).toEqual([]);
      await journal.close();
      await database.close();
    } finally {
      await place.remove();
    }
  });
});
