// The audit trail on a real database: sealing with concurrent writers, and every kind of tampering found.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger, systemClock, systemRandomness } from '../core/index.ts';
import { createAuditTrail, type ClosableAuditTrail } from './audit.ts';
import { createJournal, type ClosableJournal } from './journal.ts';
import { openTestDatabase, type TestDatabase } from './testing.ts';
import type { AuditEntry, Database } from './types.ts';

const entry = (n: number, change: Partial<AuditEntry> = {}): AuditEntry => ({
  action: n % 2 === 0 ? 'manifest.push' : 'manifest.pull',
  actor: `user-${n % 3}`,
  target: `library/app:${n}`,
  result: 'success',
  address: '192.0.2.7',
  detail: { n, text: "it's ü" },
  ...change,
});

describe('audit trail', () => {
  let database: TestDatabase;
  let db: Database;
  let directory: string;
  let journal: ClosableJournal;
  let audit: ClosableAuditTrail;
  beforeEach(async () => {
    database = await openTestDatabase();
    db = database.db;
    directory = await mkdtemp(join(tmpdir(), 'breakwater-audit-'));
    const logger = silentLogger();
    journal = await createJournal({ directory, db, logger, randomness: systemRandomness, importDelayMs: 5 });
    audit = createAuditTrail({ db, journal, clock: systemClock, logger });
  });
  afterEach(async () => {
    await audit.close();
    await journal.close();
    await database.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function write(count: number, from = 0): Promise<void> {
    for (let start = from; start < from + count; start += 100) {
      await db.transaction().execute(async (transaction) => {
        for (let n = start; n < Math.min(start + 100, from + count); n++) {
          await audit.record(transaction, entry(n));
        }
      });
    }
  }

  it('seals records of both ways in batches and finds them intact', async () => {
    await write(30);
    for (let n = 0; n < 1_200; n++) audit.append(entry(n));
    await journal.drain();
    expect(await audit.verify()).toEqual({ intact: true, seals: 0, records: 0, unsealed: 1_230 });
    expect(await audit.seal()).toBe(1_230);
    expect(await audit.seal()).toBe(0);
    await write(2);
    expect(await audit.verify()).toEqual({ intact: true, seals: 3, records: 1_230, unsealed: 2 });
  });

  it('keeps what was said, with the time of the call', async () => {
    const before = Date.now();
    audit.append(entry(4, { result: 'denied', address: null }));
    const after = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await journal.drain();
    await audit.seal();
    const { records } = await audit.list({ limit: 10 });
    expect(records).toEqual([
      { ...entry(4), result: 'denied', address: null, id: '1', at: expect.any(String), seal: 1 },
    ]);
    const at = Date.parse(records[0]!.at);
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(after);
  });

  it('belongs to the transaction it is written in', async () => {
    const broken = db.transaction().execute(async (transaction) => {
      await audit.record(transaction, entry(1));
      throw new Error('rolled back');
    });
    await expect(broken).rejects.toThrow('rolled back');
    expect((await audit.list({ limit: 10 })).records).toEqual([]);
  });

  it('lists newest first, page by page, filtered', async () => {
    await write(25);
    const seen: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await audit.list({ limit: 10, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.records.map((record) => record.target));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `library/app:${24 - n}`));
    const pushes = await audit.list({ action: 'manifest.push', actor: 'user-0', limit: 100 });
    expect(pushes.records.map((record) => record.target)).toEqual(
      [24, 18, 12, 6, 0].map((n) => `library/app:${n}`),
    );
    expect((await audit.list({ target: 'library/app:3', limit: 1 })).records).toHaveLength(1);
    await expect(audit.list({ limit: 1, cursor: "1' or true" })).rejects.toMatchObject({
      code: 'STORE_CURSOR_INVALID',
    });
  });

  it('refuses changes, removal and truncation', async () => {
    await write(2);
    await audit.seal();
    for (const statement of [
      `update audit_record set actor = 'nobody'`,
      `update audit_record set seal = null`,
      `update audit_record set seal = 2`,
      'delete from audit_record',
      'truncate audit_record',
      `update audit_seal set hash = 'x'`,
      'delete from audit_seal',
      'truncate audit_seal',
    ]) {
      await expect(sql.raw(statement).execute(db), statement).rejects.toThrow('append-only');
    }
    await write(1, 2);
    await expect(
      sql`update audit_record set seal = 2, actor = 'nobody' where seal is null`.execute(db),
    ).rejects.toThrow('append-only');
  });

  describe('tampering by somebody who owns the database', () => {
    const cases: [string, string, number][] = [
      ['a changed actor', `update audit_record set actor = 'nobody' where id = 700`, 2],
      [
        'a time moved by a microsecond',
        `update audit_record set at = at + interval '1 microsecond' where id = 3`,
        1,
      ],
      ['a changed detail', `update audit_record set detail = '{"n":0}' where id = 499`, 1],
      ['a removed record', 'delete from audit_record where id = 600', 2],
      [
        'an added record',
        `insert into audit_record (at, action, actor, target, result, seal) values (now(), 'a', 'b', 'c', 'success', 1)`,
        1,
      ],
      [
        'two records that changed places',
        'update audit_record set target = case id when 10 then (select target from audit_record where id = 11) else (select target from audit_record where id = 10) end where id in (10, 11)',
        1,
      ],
      ['a record moved to another seal', 'update audit_record set seal = 2 where id = 10', 1],
      ['a removed first seal', 'delete from audit_seal where number = 1', 1],
      [
        'a removed seal with its records',
        'delete from audit_record where seal = 2; delete from audit_seal where number = 2',
        2,
      ],
      ['a removed last seal', 'delete from audit_seal where number = 3', 3],
      ['a changed hash', `update audit_seal set hash = previous where number = 2`, 2],
      [
        'a changed time of sealing',
        `update audit_seal set sealed_at = sealed_at - interval '1 hour' where number = 3`,
        3,
      ],
    ];
    it('is found, each kind, at the right seal', async () => {
      await write(1_100);
      await audit.seal();
      expect(await audit.verify()).toMatchObject({ intact: true, seals: 3 });
      for (const [name, statements, seal] of cases) {
        const undo = new Error('undo');
        const attempt = db.transaction().execute(async (transaction) => {
          await sql`alter table audit_record disable trigger user`.execute(transaction);
          await sql`alter table audit_seal disable trigger user`.execute(transaction);
          for (const statement of statements.split('; ')) await sql.raw(statement).execute(transaction);
          const inside = createAuditTrail({
            db: transaction,
            journal,
            clock: systemClock,
            logger: silentLogger(),
          });
          expect(await inside.verify(), name).toEqual({ intact: false, seal, reason: expect.any(String) });
          throw undo;
        });
        await expect(attempt).rejects.toBe(undo);
      }
      expect(await audit.verify()).toMatchObject({ intact: true, seals: 3, records: 1_100 });
    });
  });

  it('seals every record once with writers and sealers at work together', async () => {
    const logger = silentLogger();
    const sealers = Array.from({ length: 3 }, () =>
      createAuditTrail({ db, journal, clock: systemClock, logger }),
    );
    let writing = true;
    const sealed = Promise.all(
      sealers.map(async (sealer) => {
        let count = 0;
        while (writing) count += await sealer.seal();
        return count;
      }),
    );
    await Promise.all(
      Array.from({ length: 6 }, (_, writer) =>
        (async () => {
          for (let n = 0; n < 20; n++) {
            await db.transaction().execute(async (transaction) => {
              await audit.record(transaction, entry(writer * 1_000 + n));
              // Ids are given out before the commit, so that commits overtake each other.
              await sql`select pg_sleep(${Math.random() / 200})`.execute(transaction);
            });
          }
        })(),
      ),
    );
    writing = false;
    const total = (await sealed).reduce((sum, count) => sum + count, 0) + (await audit.seal());
    expect(total).toBe(120);
    expect(await audit.verify()).toMatchObject({ intact: true, records: 120, unsealed: 0 });
  });
});
