// Checkpoints, vacuum and analyze happen by themselves, because single-user PostgreSQL has no background workers.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestPlace } from '../testing.ts';
import { openEngine, type Engine } from './engine.ts';
import { startMaintenance } from './maintenance.ts';
import { SessionOwner } from './session-owner.ts';

describe('startMaintenance', () => {
  const directory = mkdtempSync(join(tmpdir(), 'breakwater-maintenance-'));
  const notices: string[] = [];
  let engine: Engine;
  let session: SessionOwner;
  let stop: () => void;

  const ask = async <T>(query: string): Promise<T | undefined> =>
    (await session.exclusive(() => engine.pglite.query<T>(query))).rows[0];

  beforeAll(async () => {
    const place = await openTestPlace('');
    cpSync(place.options.template ?? '', join(directory, 'database'), { recursive: true });
    await place.remove();
    const fail = (reason: string): never => {
      throw new Error(reason);
    };
    engine = await openEngine(join(directory, 'database'), fail);
    session = new SessionOwner(engine.pglite, 1_000, fail);
    await session.exclusive(() =>
      engine.pglite.exec(`create table churn (id int, text text);
        insert into churn select number, repeat('x', 100) from generate_series(1, 20000) number;
        update churn set text = repeat('y', 100)`),
    );
    const limits = { tickMs: 50, checkpointBytes: 1_000_000, checkpointMs: 60_000, vacuumMs: 100 };
    stop = startMaintenance(engine.pglite, session, (text) => notices.push(text), limits);
  });

  afterAll(async () => {
    stop();
    await sleep(200);
    await engine.pglite.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('writes a checkpoint when log has gathered', async () => {
    const look = () =>
      ask<{ bytes: number }>(
        'select (pg_current_wal_lsn() - redo_lsn)::float8 as bytes from pg_control_checkpoint()',
      );
    for (let waited = 0; waited < 10_000 && ((await look())?.bytes ?? 0) > 1_000_000; waited += 50)
      await sleep(50);
    expect((await look())?.bytes).toBeLessThan(1_000_000);
  });

  it('vacuums and analyzes a table with dead rows', async () => {
    const look = () =>
      ask<{ dead: number; analyzed: Date | null }>(
        `select n_dead_tup::int as dead, last_analyze as analyzed from pg_stat_user_tables where relname = 'churn'`,
      );
    for (let waited = 0; waited < 20_000 && (await look())?.analyzed === null; waited += 100) {
      // Statistics are written out when a statement ends a second or more after the last time.
      await ask('insert into churn values (0, null)');
      await sleep(100);
    }
    expect((await look())?.analyzed).toBeInstanceOf(Date);
    expect((await look())?.dead).toBeLessThan(1_000);
    expect(notices).toEqual([]);
  });
});
