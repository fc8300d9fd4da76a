// The lock with real processes: refusal, takeover after kill -9, pid reuse, many successors at once.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireLock } from './lock.ts';
import { identify } from './process-identity.ts';

const TAKER = fileURLToPath(new URL('../../../test/fixtures/lock-taker.ts', import.meta.url));

describe('acquireLock', () => {
  let directory: string;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'breakwater-lock-'));
  });
  afterEach(async () => {
    await Promise.all(children.splice(0).map(kill));
    rmSync(directory, { recursive: true, force: true });
  });

  const take = (waitMs = 0) => acquireLock({ directory, name: 'server', socket: null, waitMs });

  async function start(): Promise<ChildProcess> {
    const child = fork(TAKER, [directory, 'server'], { execArgv: [] });
    children.push(child);
    await once(child, 'message');
    return child;
  }

  async function order(child: ChildProcess): Promise<{ held: boolean; pid?: number }> {
    const answer = once(child, 'message');
    child.send('take');
    return (await answer)[0] as { held: boolean; pid?: number };
  }

  it('refuses a second process and names the holder', async () => {
    const holder = await start();
    expect(await order(holder)).toEqual({ held: true });
    expect(await take()).toEqual({ held: false, pid: holder.pid });
    expect(await order(await start())).toEqual({ held: false, pid: holder.pid });
  });

  it('refuses the same process twice, and gives the lock again after its release', async () => {
    const first = await take();
    expect(await take()).toEqual({ held: false, pid: process.pid });
    if (first.held) first.lock.release();
    expect((await take()).held).toBe(true);
  });

  it('passes the lock of a killed process on at once, leaving one claim', async () => {
    const holder = await start();
    await order(holder);
    await kill(holder);
    expect((await take()).held).toBe(true);
    expect(readdirSync(directory)).toEqual(['server.2']);
  });

  it('waits for a living holder as long as it is told', async () => {
    const holder = await start();
    await order(holder);
    const waiting = take(10_000);
    setTimeout(() => holder.kill('SIGKILL'), 300);
    expect((await waiting).held).toBe(true);
  });

  it('does not take a reused pid for the holder', async () => {
    const record = { ...identify(), startedAt: '1', socket: null, released: false };
    writeFileSync(join(directory, 'server.7'), JSON.stringify(record));
    expect((await take()).held).toBe(true);
    expect(readdirSync(directory)).toEqual(['server.8']);
  });

  it('does not steal an old claim of a living process', async () => {
    const record = { ...identify(), socket: null, released: false };
    writeFileSync(join(directory, 'server.7'), JSON.stringify(record));
    expect(await take()).toEqual({ held: false, pid: process.pid });
  });

  it('asks the socket when the holder lives in another container', async () => {
    const socket = join(directory, 'presence');
    const record = { ...identify(), namespace: 'pid:[1]', socket, released: false };
    writeFileSync(join(directory, 'server.1'), JSON.stringify(record));
    const server = createServer((connection) => connection.destroy()).listen(socket);
    await once(server, 'listening');
    expect((await take()).held).toBe(false);
    server.close();
    await once(server, 'close');
    expect((await take()).held).toBe(true);
  });

  it('takes an unreadable claim as nobody’s', async () => {
    writeFileSync(join(directory, 'server.3'), '{"pid":');
    expect((await take()).held).toBe(true);
  });

  it('lets exactly one of many successors in, round after round', async () => {
    const contenders = await Promise.all(Array.from({ length: 6 }, start));
    for (let round = 0; round < 20; round++) {
      // A holder that has died: the pid is ours, the start time is not.
      const top = Math.max(0, ...readdirSync(directory).map((name) => Number(name.split('.')[1] ?? 0)));
      const dead = { ...identify(), startedAt: '1', socket: null, released: false };
      for (const name of readdirSync(directory)) rmSync(join(directory, name), { force: true });
      writeFileSync(join(directory, `server.${top + 1}`), JSON.stringify(dead));
      const outcomes = await Promise.all(contenders.map(order));
      const winner = outcomes.findIndex((outcome) => outcome.held);
      expect(outcomes.filter((outcome) => outcome.held)).toHaveLength(1);
      for (const outcome of outcomes) {
        if (!outcome.held) expect(outcome.pid).toBe(contenders[winner]?.pid);
      }
    }
  });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
