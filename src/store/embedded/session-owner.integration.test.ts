// The one session shared by several connections: statements are not mixed up, transactions end, errors stay with their owner.
import { createServer, type Server } from 'node:net';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestPlace } from '../testing.ts';
import { Connection } from './connection.ts';
import { openEngine, type Engine } from './engine.ts';
import { SessionOwner } from './session-owner.ts';

const IDLE_LIMIT_MS = 700;

describe('SessionOwner', () => {
  const directory = mkdtempSync(join(tmpdir(), 'breakwater-session-'));
  let engine: Engine;
  let server: Server;
  let pool: pg.Pool;

  beforeAll(async () => {
    const place = await openTestPlace('');
    cpSync(place.options.template ?? '', join(directory, 'database'), { recursive: true });
    await place.remove();
    const fail = (reason: string): never => {
      throw new Error(reason);
    };
    engine = await openEngine(join(directory, 'database'), fail);
    const session = new SessionOwner(engine.pglite, IDLE_LIMIT_MS, fail);
    server = createServer((socket) => void new Connection(socket, session));
    await new Promise<void>((resolve) => server.listen(join(directory, '.s.PGSQL.5432'), resolve));
    pool = new pg.Pool({ host: directory, user: 'postgres', database: 'postgres', max: 8 });
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    await pool.query('create table thing (name text primary key)');
  });

  afterAll(async () => {
    await pool.end();
    server.close();
    await engine.pglite.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('keeps the statements of connections apart, also when a message arrives in pieces', async () => {
    const answers = await Promise.all(
      Array.from({ length: 160 }, async (_, index) => {
        const text = 'x'.repeat(index % 8 < 4 ? 400_000 : 10);
        const { rows } =
          index % 2 === 0
            ? await pool.query('select $1::int as number, length($2::text) as length', [index, text])
            : await pool.query('select length($1::text) as length, $2::int as number, $3::int', [
                text,
                index,
                1,
              ]);
        return rows[0]?.number === index && rows[0]?.length === text.length;
      }),
    );
    expect(answers.filter((right) => !right)).toEqual([]);
  });

  it('gives each connection its own errors', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        index % 3 === 0
          ? pool.query('select 1 / $1::int', [0]).then(
              () => 'no error',
              (error: Error) => error.message,
            )
          : pool.query('select $1::int as number', [index]).then(({ rows }) => rows[0]?.number),
      ),
    );
    expect(outcomes).toEqual(
      Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? 'division by zero' : index)),
    );
  });

  it('does not let others into a transaction', async () => {
    const client = await pool.connect();
    await client.query('begin');
    await client.query("insert into thing values ('uncommitted')");
    const counted = pool.query("select count(*)::int as count from thing where name = 'uncommitted'");
    await client.query('rollback');
    client.release();
    expect((await counted).rows).toEqual([{ count: 0 }]);
  });

  it('rolls back when the connection in a transaction goes away', async () => {
    const client = new pg.Client({ host: directory, user: 'postgres', database: 'postgres' });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('begin');
    await client.query("insert into thing values ('lost')");
    const counted = pool.query("select count(*)::int as count from thing where name = 'lost'");
    client.connection.stream.destroy();
    expect((await counted).rows).toEqual([{ count: 0 }]);
  });

  it('ends a transaction that sends nothing, so that the others go on', async () => {
    const client = await pool.connect();
    await client.query('begin');
    await client.query("insert into thing values ('slept')");
    const started = performance.now();
    expect((await pool.query("select count(*)::int as count from thing where name = 'slept'")).rows).toEqual([
      { count: 0 },
    ]);
    expect(performance.now() - started).toBeGreaterThan(IDLE_LIMIT_MS / 2);
    await expect(client.query('commit')).rejects.toThrow(/Connection terminated|not queryable|EPIPE/);
    client.release(true);
  });

  it('closes a connection that does not speak the protocol, and serves the others', async () => {
    const { connect } = await import('node:net');
    for (const bytes of [Buffer.alloc(64, 0xff), Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(8)]) {
      const socket = connect(join(directory, '.s.PGSQL.5432'));
      const closed = new Promise((resolve) => socket.on('close', resolve));
      socket.on('error', () => undefined);
      socket.end(bytes);
      await closed;
    }
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});
