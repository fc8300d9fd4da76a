// Checks of the sections "Deleting tags", "Deleting Manifests" and "Deleting Blobs".
import { unknownDigest } from '../content.ts';
import { expectStatus } from '../expectations.ts';
import type { Must } from '../must.ts';

export const deletion: readonly Must[] = [
  {
    id: 'MUST-86',
    section: 'Deleting tags',
    text: 'A deleted tag answers 202, and is gone while its manifest stays',
    async check({ client, prepare, repository }) {
      const name = repository();
      const image = await prepare.image(name, 'old');
      expectStatus(await client.send('DELETE', `/v2/${name}/manifests/old`), 202);
      expectStatus(await client.send('GET', `/v2/${name}/manifests/old`), 404);
      expectStatus(await client.send('GET', `/v2/${name}/manifests/${image.digest}`), 200);
    },
  },
  {
    id: 'MUST-88',
    section: 'Deleting Manifests',
    text: 'A deleted manifest answers 202, and is gone with every tag on it',
    async check({ client, prepare, repository }) {
      const name = repository();
      const image = await prepare.image(name, 'one');
      await prepare.put(name, image, 'two');
      expectStatus(await client.send('DELETE', `/v2/${name}/manifests/${image.digest}`), 202);
      for (const reference of [image.digest, 'one', 'two']) {
        expectStatus(await client.send('GET', `/v2/${name}/manifests/${reference}`), 404);
      }
    },
  },
  {
    id: 'MUST-89',
    section: 'Deleting Manifests',
    text: 'Deleting a manifest in a repository that does not exist answers 404',
    async check({ client, repository }) {
      expectStatus(await client.send('DELETE', `/v2/${repository()}/manifests/${unknownDigest()}`), 404);
    },
  },
  {
    id: 'MUST-91',
    section: 'Deleting Blobs',
    text: 'A deleted blob answers 202, and is gone',
    async check({ client, prepare, repository }) {
      const name = repository();
      const blob = await prepare.blob(name);
      expectStatus(await client.send('DELETE', `/v2/${name}/blobs/${blob.digest}`), 202);
      expectStatus(await client.send('GET', `/v2/${name}/blobs/${blob.digest}`), 404);
    },
  },
  {
    id: 'MUST-92',
    section: 'Deleting Blobs',
    text: 'Deleting a blob that is not there answers 404',
    async check({ client, prepare, repository }) {
      const name = repository();
      await prepare.blob(name);
      expectStatus(await client.send('DELETE', `/v2/${name}/blobs/${unknownDigest()}`), 404);
    },
  },
];
