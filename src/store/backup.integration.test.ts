// Backup and restore with real databases: every row and byte comes back, damaged and foreign files are refused.
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MiB, silentLogger, systemClock, systemRandomness } from '../core/index.ts';
import { createAuditTrail } from './audit.ts';
import { DIGEST_BYTES, END_MAGIC, MAGIC } from './backup-format.ts';
import { objectRemovalAllowed, takeHold } from './backup-hold.ts';
import { isRestoreUnfinished, restoreStore } from './backup-restore.ts';
import { readTables, SEEDED } from './backup-tables.ts';
import { backupStore } from './backup.ts';
import { createFilesystemBlobDriver } from './blobs/filesystem.ts';
import { openDatabase } from './database.ts';
import { createJournal, type ClosableJournal } from './journal.ts';
import { migrate } from './migrate.ts';
import { postgresMissing, startPostgres } from '../../test/fixtures/postgres.ts';
import { openTestPlace } from './testing.ts';
import type { BlobDriver, Database } from './types.ts';

const noServer =
  (process.env['TEST_DATABASE_URL'] ?? process.env['DATABASE_URL']) ? undefined : postgresMissing();

interface Place {
  readonly db: Database;
  readonly kind: 'embedded' | 'server';
  readonly blobs: BlobDriver;
  readonly journal: ClosableJournal;
  close(): Promise<void>;
}

/** A store's parts in a fresh place: on the configured server if there is one, or embedded. */
/** A place on the configured engine, or on the server at `serverUrl`; empty text means the embedded database. */
async function openPlace(serverUrl?: string): Promise<Place> {
  const place = await openTestPlace(serverUrl);
  const { dataDirectory } = place.options;
  const database = await openDatabase({ ...place.options, logger: silentLogger() });
  const { db, kind } = database;
  await migrate(db);
  const journal = await createJournal({
    directory: join(dataDirectory, 'journal'),
    db,
    logger: silentLogger(),
    randomness: systemRandomness,
  });
  await sql`create table sample (
    id bigint generated always as identity primary key, parent bigint references sample (id), words text[],
    document jsonb, bytes bytea, number double precision, exact numeric, at timestamptz, flag boolean,
    doubled bigint generated always as (id * 2) stored, unusual uuid)`.execute(db);
  const blobs = createFilesystemBlobDriver({
    directory: join(dataDirectory, 'blobs'),
    randomness: systemRandomness,
  });
  const close = async (): Promise<void> => {
    await journal.close();
    await database.close();
    await place.remove();
  };
  return { db, kind, blobs, journal, close };
}

async function fill(place: Place): Promise<string[]> {
  const { db, journal } = place;
  await sql`insert into sample (words, document, bytes, number, exact, at, flag, unusual)
    select array['a' || n, 'it''s "quoted", \\ and é', null], jsonb_build_object('n', n, 'list', jsonb_build_array(1, null)),
      decode(lpad(to_hex(n), 8, '0'), 'hex'), n / 7.0, n / 3::numeric, timestamptz '2024-02-29 12:00:00.123456+05' + n * interval '1 hour',
      n % 3 = 0, gen_random_uuid()
    from generate_series(1, 1300) as n`.execute(db);
  await sql`insert into sample (number) values ('NaN'), ('-Infinity')`.execute(db);
  // Children with lower numbers than their parents, several levels deep.
  await sql`update sample set parent = id + 400 where id <= 800`.execute(db);
  await sql`insert into registry_repository (name, created_at) values ('library/app', now()), ('other', now())`.execute(
    db,
  );
  const objects: string[] = [];
  for (const size of [0, 5, 3 * MiB + 1]) {
    const writer = await place.blobs.create();
    const bytes = randomBytes(size);
    await writer.write(bytes);
    await writer.finish();
    objects.push(writer.id);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await sql`insert into registry_blob (digest, size, object_id, touched_at) values (${digest}, ${size}, ${writer.id}, now())`.execute(
      db,
    );
    await sql`insert into registry_blob_link (repository_id, digest, touched_at) values (1, ${digest}, now())`.execute(
      db,
    );
  }
  // Rows that only fit a page one or a few at a time.
  for (let n = 0; n < 2; n++) {
    await sql`insert into registry_manifest (repository_id, digest, media_type, kind, body, size, total_size, pushed_at, pushed_by)
      values (1, ${`sha256:${n}`}, 'm', 'image', ${randomBytes(3 * MiB)}, 1, 1, now(), 'me')`.execute(db);
  }
  await sql`insert into registry_tag (repository_id, name, digest, pushed_at, pushed_by) values (1, 'v1', 'sha256:0', now(), 'me')`.execute(
    db,
  );
  const audit = createAuditTrail({ db, journal, clock: systemClock, logger: silentLogger() });
  for (let n = 0; n < 700; n++) {
    audit.append({ action: 'a', actor: 'b', target: `t${n}`, result: 'success', address: null });
  }
  await journal.drain();
  await audit.seal();
  return objects;
}

/** Every row of every table that a backup holds, as text. */
async function everything(db: Database): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const table of await readTables(db)) {
    const { rows } = await sql<{
      row: string;
    }>`select md5(t::text) as row from ${sql.table(table.name)} t order by 1`.execute(db);
    found[table.name] = rows.map((row) => row.row);
  }
  return found;
}

describe('backup and restore', () => {
  let source: Place;
  let objects: string[];
  let directory: string;
  let target: Place | undefined;
  beforeAll(async () => {
    source = await openPlace();
    objects = await fill(source);
  });
  afterAll(() => source.close());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'breakwater-backup-'));
  });
  afterEach(async () => {
    await target?.close();
    target = undefined;
    await rm(directory, { recursive: true, force: true });
  });

  const options = (includeBlobs: boolean) => ({
    out: join(directory, 'backup'),
    includeBlobs,
    clock: systemClock,
    randomness: systemRandomness,
    logger: silentLogger(),
  });

  it('brings back every row and every byte', async () => {
    const written = await backupStore(source, options(true));
    expect(written).toMatchObject({
      contents: 'metadata and blobs',
      objects: 3,
      objectBytes: 3 * MiB + 6,
      missingObjects: { count: 0 },
    });
    expect(await readdir(directory)).toEqual(['backup']);
    target = await openPlace();
    const report = await restoreStore(written.path, target);
    expect(report).toMatchObject({
      contents: 'metadata and blobs',
      objects: 3,
      leftOut: 0,
      missingObjects: { count: 0, ids: [] },
    });
    expect(report.tables).toEqual(written.tables);
    expect(report.tables).toMatchObject({
      sample: 1_302,
      registry_manifest: 2,
      audit_record: 700,
      audit_seal: 2,
    });
    expect(await everything(target.db)).toEqual(await everything(source.db));
    for (const id of objects) {
      expect(
        (await buffer(await target.blobs.read(id))).equals(await buffer(await source.blobs.read(id))),
      ).toBe(true);
    }
    const audit = createAuditTrail({
      db: target.db,
      journal: target.journal,
      clock: systemClock,
      logger: silentLogger(),
    });
    expect(await audit.verify()).toMatchObject({ intact: true, seals: 2, records: 700 });
    await sql`insert into sample (flag) values (true)`.execute(target.db);
    expect((await sql<{ id: number }>`select max(id) as id from sample`.execute(target.db)).rows[0]?.id).toBe(
      1_303,
    );
    expect(await isRestoreUnfinished(target.db)).toBe(false);
    await expect(restoreStore(written.path, target)).rejects.toMatchObject({
      code: 'STORE_RESTORE_NOT_EMPTY',
    });
  });

  it.skipIf(noServer !== undefined)(
    `moves between PostgreSQL and the embedded database and back${noServer ? ` (skipped: ${noServer})` : ''}`,
    async () => {
      const server = source.kind === 'server' ? undefined : await startPostgres();
      const first = await backupStore(source, options(true));
      const other = await openPlace(server?.url ?? '');
      try {
        expect(other.kind).not.toBe(source.kind);
        await restoreStore(first.path, other);
        const second = await backupStore(other, { ...options(true), out: join(directory, 'second') });
        expect(second.tables).toEqual(first.tables);
        target = await openPlace();
        expect(await restoreStore(second.path, target)).toMatchObject({ leftOut: 0, objects: 3 });
        expect(await everything(target.db)).toEqual(await everything(source.db));
      } finally {
        await other.close();
        await server?.stop();
      }
    },
  );

  it('restores metadata alone and names the objects that are not there', async () => {
    const written = await backupStore(source, options(false));
    expect(written.contents).toBe('metadata');
    target = await openPlace();
    const report = await restoreStore(written.path, target);
    expect(report.objects).toBe(0);
    expect(report.missingObjects.count).toBe(3);
    expect(new Set(report.missingObjects.ids)).toEqual(new Set(objects));
  });

  it('says which objects were lost already when the backup was made', async () => {
    const lost = `${'0'.repeat(31)}1`;
    await sql`insert into registry_blob (digest, size, object_id, touched_at) values ('sha256:lost', 9, ${lost}, now())`.execute(
      source.db,
    );
    try {
      const written = await backupStore(source, options(true));
      expect(written.missingObjects).toEqual({ count: 1, ids: [lost] });
    } finally {
      await sql`delete from registry_blob where object_id = ${lost}`.execute(source.db);
    }
  });

  it('never replaces a file and leaves none when it fails', async () => {
    const { out } = options(false);
    await writeFile(out, 'mine');
    await expect(backupStore(source, options(false))).rejects.toMatchObject({ code: 'STORE_BACKUP_EXISTS' });
    expect(await readFile(out, 'utf8')).toBe('mine');
    await rm(out);
    await sql`create table keyless (n int)`.execute(source.db);
    try {
      await expect(backupStore(source, options(false))).rejects.toMatchObject({
        code: 'STORE_BACKUP_NO_KEY',
      });
    } finally {
      await sql`drop table keyless`.execute(source.db);
    }
    expect(await readdir(directory)).toEqual([]);
    await expect(
      backupStore(source, { ...options(false), out: join(directory, 'no', 'such', 'folder') }),
    ).rejects.toMatchObject({ code: 'STORE_BACKUP_WRITE' });
    expect(await objectsFree()).toBe(true);
  });

  const objectsFree = (): Promise<boolean> => source.db.transaction().execute(objectRemovalAllowed);

  it('holds garbage collection back while it runs', async () => {
    expect(await objectsFree()).toBe(true);
    const hold = await takeHold(source.db, systemRandomness, silentLogger());
    expect(await objectsFree()).toBe(false);
    await hold.release();
    expect(await objectsFree()).toBe(true);
    const asked: boolean[] = [];
    const driver = source.blobs;
    const blobs: BlobDriver = {
      kind: driver.kind,
      create: (id) => driver.create(id),
      resume: (id, size) => driver.resume(id, size),
      read: (id, range) => driver.read(id, range),
      send: (id, range, destination) => driver.send(id, range, destination),
      remove: (id) => driver.remove(id),
      list: () => driver.list(),
      size: async (id) => {
        asked.push(await objectsFree());
        return driver.size(id);
      },
    };
    await backupStore({ kind: source.kind, db: source.db, journal: source.journal, blobs }, options(true));
    expect(asked).toEqual([false, false, false]);
    expect(await objectsFree()).toBe(true);
  });

  it('stays consistent while rows are added, changed and removed', async () => {
    let n = 0;
    let writing = true;
    const churn = (async () => {
      while (writing) {
        n += 1;
        const digest = `sha256:churn-${n}`;
        await source.db.transaction().execute(async (transaction) => {
          await sql`insert into registry_manifest (repository_id, digest, media_type, kind, body, size, total_size, pushed_at, pushed_by)
            values (2, ${digest}, 'm', 'image', 'x', 1, 1, now(), 'me')`.execute(transaction);
          await sql`insert into registry_tag (repository_id, name, digest, pushed_at, pushed_by) values (2, 'moving', ${digest}, now(), 'me')
            on conflict (repository_id, name) do update set digest = excluded.digest`.execute(transaction);
          if (n % 3 === 0)
            await sql`delete from registry_manifest where digest = ${`sha256:churn-${n - 2}`}`.execute(
              transaction,
            );
        });
      }
    })();
    await expect.poll(() => n, { timeout: 10_000 }).toBeGreaterThan(5);
    const written = await backupStore(source, options(false));
    writing = false;
    await churn;
    target = await openPlace();
    const report = await restoreStore(written.path, target);
    expect(report.tables['registry_tag']! + report.leftOut).toBeGreaterThanOrEqual(2);
    const { rows } = await sql`select name from registry_tag where repository_id = 1`.execute(target.db);
    expect(rows).toEqual([{ name: 'v1' }]);
    await sql`delete from registry_manifest where repository_id = 2`.execute(source.db);
  });

  describe('files it refuses', () => {
    let whole: Buffer;
    let path: string;
    beforeEach(async () => {
      whole = await readFile((await backupStore(source, options(true))).path);
      path = join(directory, 'changed');
      target = await openPlace();
    });

    async function refused(bytes: Buffer): Promise<unknown> {
      await writeFile(path, bytes);
      const code = await restoreStore(path, target!).then(
        () => 'restored',
        (error: { code?: unknown }) => error.code,
      );
      const filled = Object.entries(await everything(target!.db)).filter(([, rows]) => rows.length > 0);
      expect(filled.map(([table]) => table)).toEqual(SEEDED);
      expect(await isRestoreUnfinished(target!.db)).toBe(false);
      return code;
    }

    /** The file with a digest that fits its changed content. */
    function resealed(bytes: Buffer): Buffer {
      const covered = bytes.subarray(0, bytes.length - END_MAGIC.length - DIGEST_BYTES);
      return Buffer.concat([covered, createHash('sha256').update(covered).digest(), END_MAGIC]);
    }

    function withHeader(change: (header: { migrations: string[] }) => void): Buffer {
      const start = MAGIC.length + 8;
      const length = whole.readUInt32BE(MAGIC.length + 4);
      const header: { migrations: string[] } = JSON.parse(whole.toString('utf8', start, start + length));
      const before = JSON.stringify(header).length;
      change(header);
      return resealed(
        Buffer.concat([
          whole.subarray(0, start),
          Buffer.from(JSON.stringify(header).padEnd(before).slice(0, before)),
          whole.subarray(start + length),
        ]),
      );
    }

    it('truncated, bit-flipped, foreign and empty ones', async () => {
      const flipped = (at: number): Buffer => {
        const copy = Buffer.from(whole);
        copy.writeUInt8(copy.readUInt8(at) ^ 4, at);
        return copy;
      };
      for (const cut of [0, 10, 30, 1_000, whole.length >> 1, whole.length - 1]) {
        expect(await refused(whole.subarray(0, cut)), `cut to ${cut}`).toBe('STORE_BACKUP_DAMAGED');
      }
      for (const at of [
        0,
        25,
        200,
        whole.length >> 1,
        whole.length - 60,
        whole.length - 20,
        whole.length - 1,
      ]) {
        expect(await refused(flipped(at)), `flipped at ${at}`).toBe('STORE_BACKUP_DAMAGED');
      }
      expect(await refused(Buffer.concat([whole, Buffer.from('x')]))).toBe('STORE_BACKUP_DAMAGED');
      expect(await refused(randomBytes(5_000))).toBe('STORE_BACKUP_DAMAGED');
      await expect(restoreStore(join(directory, 'absent'), target!)).rejects.toMatchObject({
        code: 'STORE_BACKUP_READ',
      });
    });

    it('of a newer format, of a newer schema, with a table that is gone', async () => {
      const newer = Buffer.from(whole);
      newer.writeUInt32BE(2, MAGIC.length);
      expect(await refused(resealed(newer))).toBe('STORE_BACKUP_NEWER_FORMAT');
      const later = withHeader((header) => {
        header.migrations[0] = '9999-stor';
      });
      expect(await refused(later)).toBe('STORE_BACKUP_NEWER_SCHEMA');
      await sql`alter table sample drop column flag`.execute(target!.db);
      expect(await refused(whole)).toBe('STORE_BACKUP_TABLE_MISSING');
    });
  });
});
