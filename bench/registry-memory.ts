// Resident memory of the server and of the embedded database while 200 clients pull a blob at once, all of them slow.
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { peakResidentMiB, processTree, residentMiB } from './measure.ts';
import { startBreakwater } from './servers.ts';

const MiB = 1024 * 1024;
const REPOSITORY = 'bench/memory';

export const registryMemoryBench: Bench = {
  name: 'registry-memory',
  title: 'resident memory at 200 parallel blob streams',
  missing: () => undefined,
  run: async ({ smoke, directory }) => {
    const server = await startBreakwater(join(directory, 'data'));
    try {
      const authorization = (await server.authorization(REPOSITORY)) ?? '';
      const blob = randomBytes(64 * MiB);
      const digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`;
      const start = await fetch(`http://${server.registry}/v2/${REPOSITORY}/blobs/uploads/`, {
        method: 'POST',
        headers: { authorization },
      });
      const location = new URL(start.headers.get('location') ?? '', `http://${server.registry}`);
      location.searchParams.set('digest', digest);
      const pushed = await fetch(location, { method: 'PUT', headers: { authorization }, body: blob });
      if (pushed.status !== 201) throw new Error(`upload answered ${pushed.status}`);
      const streams = smoke ? 20 : 200;
      await Promise.all(
        Array.from({ length: streams }, () => slowPull(server.registry, digest, authorization)),
      );
      const database = processTree(server.pid).filter((pid) => pid !== server.pid);
      return [
        {
          name: `server, highest resident memory at ${streams} streams`,
          value: peakResidentMiB(server.pid),
          unit: 'MiB',
          bar: { max: 250 },
        },
        { name: 'database process, resident', value: Math.max(0, ...database.map(residentMiB)), unit: 'MiB' },
      ];
    } finally {
      await server.stop();
    }
  },
};

/** Pulls one blob and pauses after each piece for a while, so that all streams are open at once. Checks the length. */
function slowPull(registry: string, digest: string, authorization: string): Promise<void> {
  const [host = '', port = ''] = registry.split(':');
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host, port, path: `/v2/${REPOSITORY}/blobs/${digest}`, headers: { authorization }, agent: false },
      (response) => {
        let received = 0;
        response.on('data', (chunk: Buffer) => {
          received += chunk.length;
          if (received % (4 * MiB) < chunk.length) {
            response.pause();
            setTimeout(() => response.resume(), 100);
          }
        });
        response.on('end', () =>
          received === 64 * MiB ? resolve() : reject(new Error(`only ${received} bytes came`)),
        );
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}
