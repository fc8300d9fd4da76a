// Checks of the sections "Listing Referrers" and "Enabling the Referrers API".
import type { Reply } from '../client.ts';
import { IMAGE_INDEX, imageIndex, unknownDigest } from '../content.ts';
import type { Manifest } from '../content.ts';
import { descriptorsOf, expectStatus, nextLink, parseJson, property } from '../expectations.ts';
import type { ReadDescriptor } from '../expectations.ts';
import { expectThat } from '../must.ts';
import type { Must, Probe } from '../must.ts';
import { missingSubject, put } from './push-manifests.ts';

const SECTION = 'Listing Referrers';
const ENABLING = 'Enabling the Referrers API';
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

function list({ client }: Probe, name: string, digest: string, query = ''): Promise<Reply> {
  return client.send('GET', `/v2/${name}/referrers/${digest}${query}`);
}

/** The only referrer that a listing must hold. */
function only(reply: Reply, digest: string): ReadDescriptor {
  const [descriptor, ...others] = descriptorsOf(reply);
  expectThat(
    descriptor?.digest === digest && others.length === 0,
    `the list is not ${digest} alone: ${reply.body}`,
  );
  return descriptor;
}

async function repositoryWithSubject({
  prepare,
  repository,
}: Probe): Promise<{ name: string; base: Manifest }> {
  const name = repository();
  return { name, base: await prepare.image(name, 'base') };
}

/** Five referrers whose annotations together do not fit in one manifest. */
async function manyReferrers(probe: Probe): Promise<{ name: string; subject: string; digests: Set<string> }> {
  const name = probe.repository();
  const subject = missingSubject();
  const digests = new Set<string>();
  for (let count = 0; count < 5; count++) {
    const annotations = { 'org.example.large': `${count}`.repeat(900 * 1024) };
    const index = await probe.prepare.put(name, imageIndex([], { subject, annotations }));
    digests.add(index.digest);
  }
  return { name, subject: subject.digest, digests };
}

export const referrers: readonly Must[] = [
  {
    id: 'MUST-71',
    section: SECTION,
    text: 'Listing the referrers in a repository answers 200',
    async check(probe) {
      const { name, base } = await repositoryWithSubject(probe);
      expectStatus(await list(probe, name, base.digest), 200);
    },
  },
  {
    id: 'MUST-72',
    section: SECTION,
    text: 'A registry with referrers never answers 404 to a listing',
    async check(probe) {
      const { name } = await repositoryWithSubject(probe);
      for (const repository of [name, probe.repository()]) {
        const reply = await list(probe, repository, unknownDigest());
        expectThat(reply.status !== 404, `${reply.path} answered 404`);
      }
    },
  },
  {
    id: 'MUST-73',
    section: SECTION,
    text: 'An invalid listing, such as of a malformed digest, answers 400',
    async check(probe) {
      const { name } = await repositoryWithSubject(probe);
      for (const digest of ['sha256:short', 'sha256:', 'latest', `sha256:${'g'.repeat(64)}`]) {
        expectStatus(await list(probe, name, digest), 400);
      }
    },
  },
  {
    id: 'MUST-74',
    section: SECTION,
    text: 'The listing is an image index of the manifests with that subject',
    async check(probe) {
      const { name, base } = await repositoryWithSubject(probe);
      const subject = base.descriptor;
      const signature = await probe.prepare.artifact(name, 'application/vnd.example.one', { subject });
      const index = await probe.prepare.put(name, imageIndex([], { subject }));
      await probe.prepare.artifact(name, 'application/vnd.example.other', { subject: missingSubject() });
      const reply = await list(probe, name, base.digest);
      const found = descriptorsOf(reply);
      expectThat(
        property(parseJson(reply), 'mediaType') === IMAGE_INDEX,
        'mediaType is not that of an index',
      );
      expectThat(found.length === 2, `${found.length} descriptors instead of 2`);
      for (const stored of [signature, index]) {
        const descriptor = found.find((entry) => entry.digest === stored.digest);
        expectThat(
          descriptor?.size === stored.bytes.length && descriptor.mediaType === stored.mediaType,
          `${stored.digest} is missing, or has another size or media type: ${JSON.stringify(descriptor)}`,
        );
      }
    },
  },
  {
    id: 'MUST-75',
    section: SECTION,
    text: 'The listing has the content type of an image index',
    async check(probe) {
      const { name, base } = await repositoryWithSubject(probe);
      const reply = await list(probe, name, base.digest);
      expectThat(
        reply.headers['content-type'] === IMAGE_INDEX,
        `Content-Type is ${reply.headers['content-type']}`,
      );
    },
  },
  {
    id: 'MUST-76',
    section: SECTION,
    text: 'A descriptor has the artifactType of its manifest or index',
    async check(probe) {
      for (const kind of ['image', 'index']) {
        const { name, base } = await repositoryWithSubject(probe);
        const options = { subject: base.descriptor, artifactType: 'application/vnd.example.sbom' };
        const stored =
          kind === 'image'
            ? await probe.prepare.artifact(name, 'application/vnd.example.config', options)
            : await probe.prepare.put(name, imageIndex([], options));
        const { artifactType } = only(await list(probe, name, base.digest), stored.digest);
        expectThat(artifactType === options.artifactType, `artifactType of the ${kind} is ${artifactType}`);
      }
    },
  },
  {
    id: 'MUST-77',
    section: SECTION,
    text: 'An image manifest without artifactType is listed with the media type of its config',
    async check(probe) {
      const { name, base } = await repositoryWithSubject(probe);
      for (const [position, artifactType] of [undefined, ''].entries()) {
        const type = `application/vnd.example.config${position}`;
        const options = { subject: base.descriptor, ...(artifactType === undefined ? {} : { artifactType }) };
        const stored = await probe.prepare.artifact(name, type, options);
        const found = descriptorsOf(await list(probe, name, base.digest));
        const descriptor = found.find((entry) => entry.digest === stored.digest);
        expectThat(descriptor?.artifactType === type, `artifactType is ${descriptor?.artifactType}`);
      }
    },
  },
  {
    id: 'MUST-78',
    section: SECTION,
    text: 'An index without artifactType is listed without one',
    async check(probe) {
      const { name, base } = await repositoryWithSubject(probe);
      const stored = await probe.prepare.put(name, imageIndex([], { subject: base.descriptor }));
      const descriptor = only(await list(probe, name, base.digest), stored.digest);
      expectThat(!('artifactType' in descriptor), `artifactType is ${descriptor.artifactType}`);
    },
  },
  {
    id: 'MUST-79',
    section: SECTION,
    text: 'A descriptor has the annotations of its manifest',
    async check(probe) {
      const { name, base } = await repositoryWithSubject(probe);
      const annotations = { 'org.example.format': 'json', 'org.example.empty': '' };
      const options = { subject: base.descriptor, annotations };
      const image = await probe.prepare.artifact(name, 'application/vnd.example', options);
      const index = await probe.prepare.put(name, imageIndex([], options));
      const found = descriptorsOf(await list(probe, name, base.digest));
      for (const { digest } of [image, index]) {
        const listed = found.find((entry) => entry.digest === digest)?.annotations;
        const same = Object.entries(annotations).every(([key, value]) => property(listed, key) === value);
        expectThat(same, `annotations are ${JSON.stringify(listed)}`);
      }
    },
  },
  {
    id: 'MUST-80',
    section: SECTION,
    text: 'Without referrers the listing is an empty index',
    async check(probe) {
      const { name, base } = await repositoryWithSubject(probe);
      const options = { subject: base.descriptor };
      expectThat(descriptorsOf(await list(probe, name, base.digest)).length === 0, 'the list is not empty');
      await probe.prepare.artifact(name, 'application/vnd.example', options);
      const filtered = await list(probe, name, base.digest, '?artifactType=application/vnd.nothing');
      expectStatus(filtered, 200);
      // A registry without filters gives back everything, and does not say that it filtered.
      const applied = filtered.headers['oci-filters-applied'] !== undefined;
      expectThat(!applied || descriptorsOf(filtered).length === 0, 'the filtered list is not empty');
      expectThat(
        descriptorsOf(await list(probe, name, unknownDigest())).length === 0,
        'the list is not empty',
      );
    },
  },
  {
    id: 'MUST-81',
    section: SECTION,
    text: 'A listing too large for one manifest leads on with Link, and loses nothing',
    async check(probe) {
      const { name, subject, digests } = await manyReferrers(probe);
      let target: string | undefined = `/v2/${name}/referrers/${subject}`;
      for (let pages = 0; target !== undefined && pages < 20; pages++) {
        const reply = await probe.client.send('GET', target);
        expectThat(reply.body.length <= MAX_PAGE_BYTES, `a page has ${reply.body.length} bytes`);
        for (const { digest } of descriptorsOf(reply)) {
          expectThat(digests.delete(digest), `${digest} is listed twice or does not belong here`);
        }
        target = nextLink(reply);
      }
      expectThat(digests.size === 0, `${digests.size} referrers are missing`);
    },
  },
  {
    id: 'MUST-82',
    section: SECTION,
    text: 'A Link in a listing of referrers follows RFC 5988 with rel="next"',
    async check(probe) {
      const { name, subject } = await manyReferrers(probe);
      const first = await list(probe, name, subject);
      const next = nextLink(first);
      if (next === undefined) return;
      const second = await probe.client.send('GET', next);
      expectStatus(second, 200);
      const before = new Set(descriptorsOf(first).map(({ digest }) => digest));
      const after = descriptorsOf(second);
      expectThat(
        after.length > 0 && after.every(({ digest }) => !before.has(digest)),
        'the Link leads nowhere new',
      );
    },
  },
  {
    id: 'MUST-83',
    section: SECTION,
    text: 'A listing filtered by artifactType says so in OCI-Filters-Applied',
    async check(probe) {
      const { name, base } = await repositoryWithSubject(probe);
      const wanted = 'application/vnd.example.wanted+json';
      const options = { subject: base.descriptor };
      const stored = await probe.prepare.artifact(name, wanted, options);
      await probe.prepare.artifact(name, 'application/vnd.example.other', options);
      const reply = await list(probe, name, base.digest, `?artifactType=${encodeURIComponent(wanted)}`);
      const found = descriptorsOf(reply);
      if (found.length === 2) {
        expectThat(reply.headers['oci-filters-applied'] === undefined, 'it says it filtered but did not');
        return;
      }
      only(reply, stored.digest);
      expectThat(
        reply.headers['oci-filters-applied'] === 'artifactType',
        `OCI-Filters-Applied is ${reply.headers['oci-filters-applied']}`,
      );
    },
  },
  {
    id: 'MUST-98',
    section: ENABLING,
    text: 'Manifests listed under the referrers tag are among the referrers, once each',
    async check(probe) {
      const { name, base } = await repositoryWithSubject(probe);
      const options = { subject: base.descriptor };
      const stored = await probe.prepare.artifact(name, 'application/vnd.example', options);
      await probe.prepare.put(name, imageIndex([stored.descriptor]), base.digest.replace(':', '-'));
      only(await list(probe, name, base.digest), stored.digest);
    },
  },
  {
    id: 'MUST-99',
    section: ENABLING,
    text: 'Every newly pushed manifest with a subject is among the referrers, also when the subject comes later',
    async check(probe) {
      const name = probe.repository();
      const base = await probe.prepare.unstoredImage(name);
      const early = await probe.prepare.unstoredImage(name, { subject: base.descriptor });
      expectStatus(await put(probe, name, early, early.digest), 201);
      only(await list(probe, name, base.digest), early.digest);
      expectStatus(await put(probe, name, base, 'base'), 201);
      only(await list(probe, name, base.digest), early.digest);
    },
  },
];
