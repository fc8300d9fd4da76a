// Checks of the sections "Pulling manifests", "Pulling blobs" and "Checking if content exists in the registry".
import { digestOf, imageIndex, randomContent, unknownDigest } from '../content.ts';
import { expectBytes, expectRefusal, expectStatus } from '../expectations.ts';
import { expectThat } from '../must.ts';
import type { Must, Probe } from '../must.ts';
import type { Reply } from '../client.ts';

const MANIFESTS = 'Pulling manifests';
const BLOBS = 'Pulling blobs';
const EXISTENCE = 'Checking if content exists in the registry';

function expectOwnDigest(reply: Reply): void {
  const stated = reply.headers['docker-content-digest'];
  if (stated === undefined) return;
  const algorithm = String(stated).startsWith('sha512:') ? 'sha512' : 'sha256';
  expectThat(
    stated === digestOf(reply.body, algorithm),
    `${reply.path}: Docker-Content-Digest ${stated} is not the digest of the body`,
  );
}

function putIndex({ client }: Probe, name: string, reference: string): Promise<Reply> {
  const manifest = imageIndex([], { annotations: { reference } });
  return client.send('PUT', `/v2/${name}/manifests/${reference}`, {
    body: manifest.bytes,
    headers: { 'content-type': manifest.mediaType },
  });
}

export const pull: readonly Must[] = [
  {
    id: 'MUST-03',
    section: MANIFESTS,
    text: 'A manifest is named by its digest or by a tag',
    async check({ client, prepare, repository }) {
      const name = repository();
      const image = await prepare.image(name, 'by-tag');
      for (const reference of [image.digest, 'by-tag']) {
        const reply = await client.send('GET', `/v2/${name}/manifests/${reference}`);
        expectStatus(reply, 200);
        expectBytes(reply, image);
      }
    },
  },
  {
    id: 'MUST-04',
    section: MANIFESTS,
    text: 'A manifest is named in no other way',
    async check(probe) {
      const name = probe.repository();
      await probe.prepare.blob(name);
      for (const reference of ['sha256:short', `md5:${'0'.repeat(32)}`, 'tag@sha256', 'a%20b', '%C3%A9']) {
        expectRefusal(await putIndex(probe, name, reference));
      }
    },
  },
  {
    id: 'MUST-05',
    section: MANIFESTS,
    text: 'Repository names follow the grammar, and all names of the grammar can be used',
    async check({ client, repository }) {
      const base = repository();
      for (const suffix of ['/a.b', '/a_b', '/a__b', '/a-b', '/a---b', '/0/1/2/3']) {
        expectStatus(await client.send('POST', `/v2/${base}${suffix}/blobs/uploads/`), 202);
      }
      for (const suffix of ['/A', '/a..b', '/a___b', '/-a', '/a-', '/a._b', '/%C3%A9', '/a%20b']) {
        expectRefusal(await client.send('POST', `/v2/${base}${suffix}/blobs/uploads/`));
      }
    },
  },
  {
    id: 'MUST-06',
    section: MANIFESTS,
    text: 'A tag has at most 128 characters',
    async check(probe) {
      const name = probe.repository();
      expectStatus(await putIndex(probe, name, 't'.repeat(128)), 201);
      expectRefusal(await putIndex(probe, name, 't'.repeat(129)));
    },
  },
  {
    id: 'MUST-07',
    section: MANIFESTS,
    text: 'A tag begins with a letter, digit or underscore and holds letters, digits, ".", "_" and "-"',
    async check(probe) {
      const name = probe.repository();
      for (const tag of ['_', '0', 'A.b_c-9', 'z--..__']) expectStatus(await putIndex(probe, name, tag), 201);
      for (const tag of ['.a', '-a', 'a+b', 'a%7Eb']) expectRefusal(await putIndex(probe, name, tag));
    },
  },
  {
    id: 'MUST-08',
    section: MANIFESTS,
    text: 'GET of a stored manifest provides that manifest',
    async check({ client, prepare, repository }) {
      const name = repository();
      const [first, second] = [await prepare.image(name, 'first'), await prepare.image(name, 'second')];
      expectBytes(await client.send('GET', `/v2/${name}/manifests/first`), first);
      expectBytes(await client.send('GET', `/v2/${name}/manifests/second`), second);
      expectBytes(await client.send('GET', `/v2/${name}/manifests/${first.digest}`), first);
    },
  },
  {
    id: 'MUST-09',
    section: MANIFESTS,
    text: 'GET of a stored manifest answers 200',
    async check({ client, prepare, repository }) {
      const name = repository();
      const image = await prepare.image(name, 'latest');
      expectStatus(await client.send('GET', `/v2/${name}/manifests/latest`), 200);
      expectStatus(await client.send('GET', `/v2/${name}/manifests/${image.digest}`), 200);
    },
  },
  {
    id: 'MUST-10',
    section: MANIFESTS,
    text: 'Docker-Content-Digest of a manifest is one that a client can verify against the manifest',
    async check({ client, prepare, repository }) {
      const name = repository();
      await prepare.image(name, 'latest');
      expectOwnDigest(await client.send('GET', `/v2/${name}/manifests/latest`));
    },
  },
  {
    id: 'MUST-11',
    section: MANIFESTS,
    text: 'GET of a manifest that is not in the repository answers 404',
    async check({ client, prepare, repository }) {
      const [name, other] = [repository(), repository()];
      await prepare.blob(name);
      const elsewhere = await prepare.image(other, 'elsewhere');
      for (const reference of ['missing', 'elsewhere', unknownDigest(), elsewhere.digest]) {
        expectStatus(await client.send('GET', `/v2/${name}/manifests/${reference}`), 404);
      }
    },
  },
  {
    id: 'MUST-12',
    section: BLOBS,
    text: 'GET of a stored blob provides that blob',
    async check({ client, prepare, repository }) {
      const name = repository();
      for (const size of [0, 1, 70_000]) {
        const blob = await prepare.blob(name, randomContent(size));
        expectBytes(await client.send('GET', `/v2/${name}/blobs/${blob.digest}`), blob);
      }
    },
  },
  {
    id: 'MUST-13',
    section: BLOBS,
    text: 'GET of a stored blob answers 200',
    async check({ client, prepare, repository }) {
      const name = repository();
      const blob = await prepare.blob(name);
      expectStatus(await client.send('GET', `/v2/${name}/blobs/${blob.digest}`), 200);
    },
  },
  {
    id: 'MUST-14',
    section: BLOBS,
    text: 'Docker-Content-Digest of a blob, where present, is the digest of the body',
    async check({ client, prepare, repository }) {
      const name = repository();
      const blob = await prepare.blob(name);
      expectOwnDigest(await client.send('GET', `/v2/${name}/blobs/${blob.digest}`));
    },
  },
  {
    id: 'MUST-16',
    section: BLOBS,
    text: 'GET of a blob that is not in the repository answers 404',
    async check({ client, prepare, repository }) {
      const [name, other] = [repository(), repository()];
      await prepare.blob(name);
      const elsewhere = await prepare.blob(other);
      expectStatus(await client.send('GET', `/v2/${name}/blobs/${unknownDigest()}`), 404);
      expectStatus(await client.send('GET', `/v2/${name}/blobs/${elsewhere.digest}`), 404);
    },
  },
  {
    id: 'MUST-17',
    section: EXISTENCE,
    text: 'HEAD of a stored blob or manifest answers 200',
    async check({ client, prepare, repository }) {
      const name = repository();
      const image = await prepare.image(name, 'latest');
      const blob = await prepare.blob(name);
      expectStatus(await client.send('HEAD', `/v2/${name}/manifests/latest`), 200);
      expectStatus(await client.send('HEAD', `/v2/${name}/manifests/${image.digest}`), 200);
      expectStatus(await client.send('HEAD', `/v2/${name}/blobs/${blob.digest}`), 200);
    },
  },
  {
    id: 'MUST-18',
    section: EXISTENCE,
    text: 'HEAD of a blob or manifest that is not in the repository answers 404',
    async check({ client, prepare, repository }) {
      const [name, other] = [repository(), repository()];
      await prepare.blob(name);
      const [blob, image] = [await prepare.blob(other), await prepare.image(other, 'elsewhere')];
      for (const reference of ['elsewhere', image.digest, unknownDigest()]) {
        expectStatus(await client.send('HEAD', `/v2/${name}/manifests/${reference}`), 404);
      }
      for (const digest of [blob.digest, unknownDigest()]) {
        expectStatus(await client.send('HEAD', `/v2/${name}/blobs/${digest}`), 404);
      }
    },
  },
];
