// Several servers on one PostgreSQL: they share keys and administrator from the first moment, and hear of a new password.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestStore, type TestPlace } from '../src/store/testing.ts';
import { describeOnServer } from './fixtures/both-stores.ts';

const COUNT = 3;

interface Reply {
  readonly credential?: { readonly username: string; readonly password: string } | null;
  readonly accepted?: boolean;
  readonly token?: string;
}

async function nextReply(child: ChildProcess): Promise<Reply> {
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`the process ended with ${code}`)),
  );
  ended.catch(() => undefined);
  const [reply] = await Promise.race([once(child, 'message'), ended]);
  return reply;
}

function ask(child: ChildProcess, message: object): Promise<Reply> {
  const reply = nextReply(child);
  child.send(message);
  return reply;
}

const basic = (credential: Reply['credential']) =>
  `Basic ${Buffer.from(`${credential?.username}:${credential?.password}`).toString('base64')}`;

describeOnServer('several servers that start at once', (open) => {
  let place: TestPlace;
  let children: ChildProcess[] = [];
  let header: string;
  let token: string;

  beforeAll(async () => {
    place = await open();
    // The tables are made once; what races below are the keys and the administrator.
    const first = await openTestStore({ place });
    await first.close();
    const { dataDirectory, databaseUrl = '' } = place.options;
    children = Array.from({ length: COUNT }, (_, number) =>
      fork(join(import.meta.dirname, 'fixtures/identity-process.ts'), [
        join(dataDirectory, `server-${number}`),
        databaseUrl,
        join(dataDirectory, 'keys'),
      ]),
    );
  });

  afterAll(async () => {
    for (const child of children) {
      if (child.exitCode !== null) continue;
      const ended = once(child, 'exit');
      child.send({ task: 'close' });
      await ended;
    }
    await place?.remove();
  });

  it('make one administrator and one set of keys', async () => {
    const replies = await Promise.all(children.map(nextReply));
    const made = replies.filter(({ credential }) => credential !== null);
    expect(made).toHaveLength(1);
    header = basic(made[0]?.credential);
    expect((await readdir(join(place.options.dataDirectory, 'keys'))).toSorted()).toEqual([
      'pepper',
      'token-signing.jwk',
    ]);
    for (const child of children) expect(await ask(child, { check: header })).toEqual({ accepted: true });
  });

  it('take each other’s tokens', async () => {
    token = `Bearer ${(await ask(children[0]!, { task: `token ${header}` })).token}`;
    for (const child of children) expect(await ask(child, { check: token })).toEqual({ accepted: true });
  });

  it('all refuse the old password and its tokens within a second of a new one', async () => {
    const { credential } = await ask(children[1]!, { task: 'reset' });
    await sleep(1_000);
    for (const child of children) {
      expect(await ask(child, { check: header })).toEqual({ accepted: false });
      expect(await ask(child, { check: token })).toEqual({ accepted: false });
      expect(await ask(child, { check: basic(credential) })).toEqual({ accepted: true });
    }
  });
});
