// kill -9 of the server, the database and the scan process at random moments under push load: nothing acknowledged is lost.
import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { processTree } from '../bench/measure.ts';
import { openTestPlace, type TestPlace } from '../src/store/testing.ts';
import { databaseOf } from './fixtures/server-database.ts';
import { eventually, startTestServer, type Credential, type TestServer } from './fixtures/server.ts';
import {
  MANIFEST_TYPE,
  pushSmallImage,
  sha256,
  smallImage,
  type SmallImage,
} from './fixtures/small-image.ts';

const ROUNDS = 30;
const PUSHERS = 3;
const REPOSITORY = 'faults/app';

const imageShape = z.object({
  scan: z.object({ status: z.string() }),
  packages: z.array(z.object({ name: z.string() })),
});

interface Acknowledged {
  readonly tag: string;
  readonly image: SmallImage;
}

type Victim = 'server' | 'database' | 'scan';

/** Who is killed, in turn. A database server is not a process of ours; it is left alone. */
const VICTIMS: readonly Victim[] =
  (process.env['TEST_DATABASE_URL'] ?? process.env['DATABASE_URL'])
    ? ['server', 'scan']
    : ['server', 'database', 'scan'];
const TURNS = ROUNDS / VICTIMS.length;

/** The process of a role below the server, found by its command line. */
function processOf(server: TestServer, role: Victim): number | undefined {
  if (role === 'server') return server.pid;
  const pattern = role === 'database' ? /embedded.*child/ : /scan.*process-child/;
  return processTree(server.pid).find((pid) => {
    try {
      return pid !== server.pid && pattern.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    } catch {
      return false;
    }
  });
}

describe('kill -9 under push load', () => {
  let place: TestPlace | undefined;
  const acknowledged: Acknowledged[] = [];
  const killed = { server: 0, database: 0, scan: 0 };
  let credential: Credential | undefined;
  let server: TestServer | undefined;

  const start = async (): Promise<TestServer> => {
    place ??= await openTestPlace();
    const started = await startTestServer({
      data: place.options.dataDirectory,
      env: databaseOf(place),
      ...(credential ? { credential } : {}),
    });
    credential = started.credential;
    return started;
  };

  afterAll(async () => {
    await server?.stop();
    await place?.remove();
  });

  it(`loses no acknowledged push in ${ROUNDS} rounds`, async () => {
    server = await start();
    for (let round = 0; round < ROUNDS; round++) {
      const victim = VICTIMS[round % VICTIMS.length] ?? 'server';
      server = await faultRound(server, round, victim);
    }
    // A scan process lives shortly; some rounds find none. Most must have hit.
    expect(killed.server).toBe(TURNS);
    expect(killed.database).toBe(VICTIMS.includes('database') ? TURNS : 0);
    expect(killed.scan).toBeGreaterThan(TURNS / 2);
    expect(acknowledged.length).toBeGreaterThan(ROUNDS);
  }, 600_000);

  it('pulls every acknowledged push back byte for byte', async () => {
    const running = server;
    if (running === undefined) throw new Error('the rounds did not run');
    for (const { tag, image } of acknowledged) {
      const get = async (path: string): Promise<Buffer> => {
        const response = await fetch(`http://${running.registry}/v2/${REPOSITORY}/${path}`, {
          headers: { authorization: basic(running.credential), accept: MANIFEST_TYPE },
        });
        expect(response.status, `${tag} ${path}`).toBe(200);
        return Buffer.from(await response.arrayBuffer());
      };
      expect((await get(`manifests/${tag}`)).equals(image.manifest), tag).toBe(true);
      expect((await get(`blobs/${sha256(image.layer)}`)).equals(image.layer), tag).toBe(true);
      expect((await get(`blobs/${sha256(image.config)}`)).equals(image.config), tag).toBe(true);
    }
  }, 120_000);

  it('ends with every pushed image scanned, each with its package', async () => {
    const running = server;
    if (running === undefined) throw new Error('the rounds did not run');
    for (const { image } of acknowledged) {
      const answer = await eventually(
        () => running.json(`/api/v1/images/${image.digest}`),
        (body) => imageShape.safeParse(body).data?.scan.status === 'finished',
        240_000,
        `the scan of ${image.packageName}`,
      );
      expect(imageShape.parse(answer).packages.map((entry) => entry.name)).toEqual([image.packageName]);
    }
  }, 300_000);

  it('keeps the audit trail intact', async () => {
    expect(await server?.json('/api/v1/audit/verification')).toMatchObject({ intact: true });
  });

  async function faultRound(running: TestServer, round: number, victim: Victim): Promise<TestServer> {
    let over = false;
    const push = async (pusher: number): Promise<void> => {
      for (let i = 0; !over; i++) {
        const tag = `r${round}-p${pusher}-${i}`;
        const image = smallImage(`package-${tag}`, randomBytes(randomInt(1, 200_000)));
        try {
          await pushSmallImage(image, {
            registry: running.registry,
            authorization: basic(running.credential),
            repository: REPOSITORY,
            tag,
          });
          acknowledged.push({ tag, image });
        } catch {
          // Not acknowledged: it may be there or not, but the server may not be. Give it a moment.
          await pause(50);
        }
      }
    };
    const pushers = Array.from({ length: PUSHERS }, (_, pusher) => push(pusher));
    await pause(randomInt(50, 900));
    await strike(running, victim);
    if (victim !== 'server') await pause(randomInt(300, 900));
    over = true;
    await Promise.all(pushers);
    if (victim === 'server') return start();
    await eventually(
      async () => (await fetch(new URL('/readyz', running.api))).status,
      (status) => status === 200,
      30_000,
      'readiness',
    );
    return running;
  }

  async function strike(running: TestServer, victim: Victim): Promise<void> {
    const end = Date.now() + 3_000;
    while (Date.now() < end) {
      const pid = processOf(running, victim);
      if (pid !== undefined) {
        if (victim === 'server') await running.kill();
        else process.kill(pid, 'SIGKILL');
        killed[victim]++;
        return;
      }
      await pause(5);
    }
  }
});

function basic(credential: Credential): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
