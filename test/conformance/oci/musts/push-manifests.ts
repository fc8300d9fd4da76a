// Checks of the sections "Push", "Pushing Manifests" and "Pushing Manifests with Subject".
import type { Reply } from '../client.ts';
import {
  describe,
  IMAGE_CONFIG,
  IMAGE_MANIFEST,
  imageIndex,
  imageManifest,
  unknownDigest,
} from '../content.ts';
import type { Descriptor, Manifest } from '../content.ts';
import {
  errorsOf,
  expectBytes,
  expectPullableLocation,
  expectRefusal,
  expectStatus,
  property,
} from '../expectations.ts';
import { expectThat } from '../must.ts';
import type { Must, Probe } from '../must.ts';

const SECTION = 'Pushing Manifests';

export function put({ client }: Probe, name: string, manifest: Manifest, reference: string): Promise<Reply> {
  return client.send('PUT', `/v2/${name}/manifests/${reference}`, {
    body: manifest.bytes,
    headers: { 'content-type': manifest.mediaType },
  });
}

/** Describes a manifest that is stored nowhere. */
export function missingSubject(): Descriptor {
  return { mediaType: IMAGE_MANIFEST, digest: unknownDigest(), size: 1234 };
}

export const pushManifests: readonly Must[] = [
  {
    id: 'MUST-19',
    section: 'Push',
    text: 'A manifest whose subject is not there is accepted',
    async check(probe) {
      const name = probe.repository();
      const image = await probe.prepare.unstoredImage(name, { subject: missingSubject() });
      expectStatus(await put(probe, name, image, image.digest), 201);
      const index = imageIndex([], { subject: missingSubject() });
      expectStatus(await put(probe, name, index, 'index'), 201);
    },
  },
  {
    id: 'MUST-20',
    section: 'Push',
    text: 'A manifest refused for a missing blob or manifest is refused with MANIFEST_BLOB_UNKNOWN',
    async check(probe) {
      const name = probe.repository();
      await probe.prepare.blob(name);
      const missing = { mediaType: IMAGE_CONFIG, digest: unknownDigest(), size: 10 };
      for (const manifest of [imageManifest(missing, []), imageIndex([missingSubject()])]) {
        const reply = await put(probe, name, manifest, manifest.digest);
        // A registry may also accept it.
        if (reply.status === 201) continue;
        expectRefusal(reply);
        expectThat(
          errorsOf(reply).some((error) => property(error, 'code') === 'MANIFEST_BLOB_UNKNOWN'),
          `refused without MANIFEST_BLOB_UNKNOWN: ${reply.body}`,
        );
      }
    },
  },
  {
    id: 'MUST-47',
    section: SECTION,
    text: 'A manifest is pushed under a tag or under its own digest: another digest is refused',
    async check(probe) {
      const name = probe.repository();
      const manifest = await probe.prepare.unstoredImage(name);
      expectRefusal(await put(probe, name, manifest, unknownDigest()));
      expectStatus(await put(probe, name, manifest, manifest.digest), 201);
      expectStatus(await put(probe, name, manifest, 'tag'), 201);
    },
  },
  {
    id: 'MUST-49',
    section: SECTION,
    text: 'A manifest is kept byte for byte',
    async check(probe) {
      const name = probe.repository();
      const image = await probe.prepare.unstoredImage(name);
      const index = imageIndex([image.descriptor]);
      for (const manifest of [image, index]) {
        await put(probe, name, manifest, manifest.digest);
        expectBytes(await probe.client.send('GET', `/v2/${name}/manifests/${manifest.digest}`), manifest);
      }
    },
  },
  {
    id: 'MUST-50',
    section: SECTION,
    text: 'A stored manifest answers 201',
    async check(probe) {
      const name = probe.repository();
      const manifest = await probe.prepare.unstoredImage(name);
      expectStatus(await put(probe, name, manifest, 'tag'), 201);
      expectStatus(await put(probe, name, manifest, manifest.digest), 201);
    },
  },
  {
    id: 'MUST-51',
    section: SECTION,
    text: 'A stored manifest answers with its Location',
    async check(probe) {
      const name = probe.repository();
      const manifest = await probe.prepare.unstoredImage(name);
      await expectPullableLocation(probe, await put(probe, name, manifest, 'tag'), manifest);
      await expectPullableLocation(probe, await put(probe, name, manifest, manifest.digest), manifest);
    },
  },
  {
    id: 'MUST-52',
    section: SECTION,
    text: 'Docker-Content-Digest of a push by digest, where present, is the digest pushed',
    async check(probe) {
      const name = probe.repository();
      const manifest = await probe.prepare.unstoredImage(name);
      const reply = await put(probe, name, manifest, manifest.digest);
      const stated = reply.headers['docker-content-digest'];
      expectThat(stated === undefined || stated === manifest.digest, `it says ${stated}`);
    },
  },
  {
    id: 'MUST-53',
    section: SECTION,
    text: 'A pull from a repository that does not exist answers 404',
    async check({ client, repository }) {
      const name = repository();
      expectStatus(await client.send('GET', `/v2/${name}/manifests/latest`), 404);
      expectStatus(await client.send('GET', `/v2/${name}/manifests/${unknownDigest()}`), 404);
      expectStatus(await client.send('GET', `/v2/${name}/blobs/${unknownDigest()}`), 404);
    },
  },
  {
    id: 'MUST-54',
    section: 'Pushing Manifests with Subject',
    text: 'A pushed manifest with a subject answers with OCI-Subject',
    async check(probe) {
      const name = probe.repository();
      const base = await probe.prepare.image(name);
      const config = describe('application/vnd.example', await probe.prepare.blob(name));
      for (const subject of [base.descriptor, missingSubject()]) {
        const reply = await put(probe, name, imageManifest(config, [], { subject }), 'attached');
        expectThat(
          reply.headers['oci-subject'] === subject.digest,
          `OCI-Subject is ${reply.headers['oci-subject']} instead of ${subject.digest}`,
        );
      }
    },
  },
];
