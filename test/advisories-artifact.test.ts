// The advisory file through registries: ours and Debian's, and back, for sites without a network.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildAdvisoryFile,
  openAdvisoryFile,
  publishAdvisories,
  type UpdateOutcome,
  updateAdvisories,
} from '../src/advisories/index.ts';
import { osvRecord } from '../src/advisories/testing.ts';
import { systemClock } from '../src/core/index.ts';
import { digestOf, OCI_EMPTY, OCI_IMAGE_MANIFEST, parseManifest, RegistryClient } from '../src/oci/index.ts';
import { openTestRegistry, type TestRegistry } from '../src/registry/testing.ts';

const REPOSITORY = 'breakwater/advisories';
const noRegistry = spawnSync('docker-registry', ['--version'], { stdio: 'ignore' }).error !== undefined;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-artifact-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function build(name: string, ...ids: readonly string[]): Promise<string> {
  const source = join(folder, `${name}.json`);
  writeFileSync(source, JSON.stringify(ids.map((id) => osvRecord(id, 'left', '1.0'))));
  const path = join(folder, `${name}.bwadv`);
  await buildAdvisoryFile([source], path, { clock: systemClock });
  return path;
}

/** What a site without a network does: from the registry to its own place. */
function update(
  client: RegistryClient,
  registry: string,
  place: string,
  tag = 'latest',
): Promise<UpdateOutcome> {
  return updateAdvisories({
    sources: [`oci://${registry}/${REPOSITORY}:${tag}`],
    mirrors: [],
    cacheDirectory: join(folder, 'cache'),
    places: [place],
    clock: systemClock,
    openRegistry: () => Promise.resolve(client),
  });
}

async function roundTrip(client: RegistryClient, registry: string): Promise<void> {
  const first = await build('first', 'A-1');
  const second = await build('second', 'A-1', 'A-2');
  const place = join(folder, `${registry.replace(/\W/g, '-')}.bwadv`);
  const published = await publishAdvisories(first, client, REPOSITORY, 'latest');
  const pulled = await client.manifest(REPOSITORY, 'latest');
  expect(pulled.digest).toBe(published.digest);
  expect(parseManifest(pulled.bytes)).toMatchObject({
    artifactType: 'application/vnd.breakwater.advisories.v1',
    config: { mediaType: OCI_EMPTY },
    layers: [{ mediaType: 'application/vnd.breakwater.advisories.v1' }],
  });
  expect((await publishAdvisories(first, client, REPOSITORY, 'latest')).digest).toBe(published.digest);

  expect(await update(client, registry, place)).toMatchObject({ kind: 'installed', warnings: [] });
  expect(readFileSync(place).equals(readFileSync(first))).toBe(true);
  expect(await update(client, registry, place)).toMatchObject({ kind: 'kept', warnings: [] });
  await publishAdvisories(second, client, REPOSITORY, 'latest');
  expect(await update(client, registry, place)).toMatchObject({ kind: 'installed', warnings: [] });
  const file = openAdvisoryFile(place);
  expect(file.info.advisories).toBe(2);
  file.close();

  const gone = await update(client, registry, place, 'no-such-tag');
  expect(gone).toMatchObject({ kind: 'kept', warnings: [expect.stringContaining('was not taken')] });
  const empty = join(folder, 'nothing-there.bwadv');
  await expect(update(client, registry, empty, 'no-such-tag')).rejects.toMatchObject({
    code: 'OCI_NOT_FOUND',
  });
}

describe('with our own registry', () => {
  let registry: TestRegistry;
  let client: RegistryClient;
  let host: string;
  beforeAll(async () => {
    registry = await openTestRegistry();
    host = `127.0.0.1:${registry.port}`;
    const { username, password } = registry;
    client = new RegistryClient(host, { credential: { kind: 'basic', username, password } });
  });
  afterAll(() => registry.close());

  it('publishes and takes the file, only when it is another one', () => roundTrip(client, host));

  it('takes no other artifact, and no damaged file', async () => {
    const place = join(folder, 'refused.bwadv');
    const config = await client.pushBlob(REPOSITORY, Buffer.from('{}'));
    const push = async (artifactType: string, bytes: Buffer): Promise<void> => {
      const layer = await client.pushBlob(REPOSITORY, bytes);
      const manifest = {
        schemaVersion: 2,
        mediaType: OCI_IMAGE_MANIFEST,
        artifactType,
        config: { mediaType: OCI_EMPTY, ...config },
        layers: [{ mediaType: 'application/vnd.breakwater.advisories.v1', ...layer }],
      };
      const encoded = Buffer.from(JSON.stringify(manifest));
      await client.pushManifest(REPOSITORY, 'wrong', { bytes: encoded, mediaType: OCI_IMAGE_MANIFEST });
      expect(await client.resolve(REPOSITORY, 'wrong')).toMatchObject({ digest: digestOf(encoded) });
    };
    await push('application/vnd.example', Buffer.from('x'));
    await expect(update(client, host, place, 'wrong')).rejects.toMatchObject({
      code: 'ADVISORIES_ARTIFACT_INVALID',
    });
    const damaged = readFileSync(await build('damaged', 'A-1'));
    damaged.writeUInt8(damaged.readUInt8(40) ^ 0xff, 40);
    await push('application/vnd.breakwater.advisories.v1', damaged);
    await expect(update(client, host, place, 'wrong')).rejects.toMatchObject({
      code: 'ADVISORIES_FILE_CORRUPT',
    });
  });
});

describe.skipIf(noRegistry)(
  `with docker-registry${noRegistry ? ' (skipped: it is not installed)' : ''}`,
  () => {
    let child: ChildProcess | undefined;
    let host = '';
    beforeAll(async () => {
      const probe = createServer();
      await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
      host = `127.0.0.1:${(probe.address() as AddressInfo).port}`;
      await new Promise((resolve) => probe.close(resolve));
      const configuration = join(folder, 'registry.yml');
      const storage = `{filesystem: {rootdirectory: ${folder}/registry}}`;
      writeFileSync(configuration, `{version: 0.1, storage: ${storage}, http: {addr: "${host}"}}`);
      child = spawn('docker-registry', ['serve', configuration], { stdio: 'ignore' });
      for (let attempt = 0; ; attempt++) {
        try {
          await new RegistryClient(host).check();
          return;
        } catch (error) {
          if (attempt > 50) throw error;
          await sleep(100);
        }
      }
    });
    afterAll(() => {
      child?.kill();
    });

    it('publishes and takes the file, only when it is another one', () =>
      roundTrip(new RegistryClient(host), host));
  },
);
