// Checks of the sections "POST then PUT", "Single POST" and "Mounting a blob from another repository".
import { randomContent, unknownDigest } from '../content.ts';
import { expectPullableLocation, expectRefusal, expectStatus } from '../expectations.ts';
import { expectThat } from '../must.ts';
import type { Must, Probe } from '../must.ts';
import { location, OCTETS, withDigest } from '../preparation.ts';
import type { Content } from '../content.ts';
import type { Reply } from '../client.ts';

const POST_PUT = 'POST then PUT';
const SINGLE = 'Single POST';
const MOUNT = 'Mounting a blob from another repository';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

async function putWhole({ client, prepare }: Probe, name: string, blob: Content): Promise<Reply> {
  const target = withDigest(await prepare.upload(name), blob.digest);
  return client.send('PUT', target, { body: blob.bytes, headers: OCTETS });
}

function postWhole({ client }: Probe, name: string, blob: Content): Promise<Reply> {
  const target = withDigest(`/v2/${name}/blobs/uploads/`, blob.digest);
  return client.send('POST', target, { body: blob.bytes, headers: OCTETS });
}

async function mount({ client, prepare, repository }: Probe): Promise<{ blob: Content; reply: Reply }> {
  const [name, from] = [repository(), repository()];
  const blob = await prepare.blob(from);
  const target = `/v2/${name}/blobs/uploads/?mount=${encodeURIComponent(blob.digest)}&from=${from}`;
  return { blob, reply: await client.send('POST', target, { alsoTouches: [from] }) };
}

export const pushBlobs: readonly Must[] = [
  {
    id: 'MUST-21',
    section: POST_PUT,
    text: 'Starting an upload answers 202',
    async check({ client, repository }) {
      expectStatus(await client.send('POST', `/v2/${repository()}/blobs/uploads/`), 202);
    },
  },
  {
    id: 'MUST-22',
    section: POST_PUT,
    text: 'Starting an upload answers with a Location',
    async check({ client, repository }) {
      const reply = await client.send('POST', `/v2/${repository()}/blobs/uploads/`);
      expectThat(location(reply) !== '', 'no Location');
    },
  },
  {
    id: 'MUST-23',
    section: POST_PUT,
    text: 'The Location of an upload holds a UUID of its own',
    async check({ client, repository }) {
      const name = repository();
      const ids = new Set<string>();
      for (let count = 0; count < 3; count++) {
        const reply = await client.send('POST', `/v2/${name}/blobs/uploads/`);
        const id = UUID.exec(location(reply))?.[0];
        expectThat(id !== undefined, `no UUID in ${location(reply)}`);
        ids.add(id.toLowerCase());
      }
      expectThat(ids.size === 3, 'two uploads have the same UUID');
    },
  },
  {
    id: 'MUST-24',
    section: POST_PUT,
    text: 'A completed upload answers 201',
    async check(probe) {
      expectStatus(await putWhole(probe, probe.repository(), randomContent()), 201);
    },
  },
  {
    id: 'MUST-25',
    section: POST_PUT,
    text: 'A completed upload answers with the Location of the blob',
    async check(probe) {
      const blob = randomContent();
      await expectPullableLocation(probe, await putWhole(probe, probe.repository(), blob), blob);
    },
  },
  {
    id: 'MUST-26',
    section: SINGLE,
    text: 'Content-Length is the length of the blob: a shorter body stores nothing',
    async check(probe) {
      const name = probe.repository();
      await probe.prepare.blob(name);
      const blob = randomContent();
      await probe.client.send('POST', withDigest(`/v2/${name}/blobs/uploads/`, blob.digest), {
        body: blob.bytes,
        headers: OCTETS,
        claimedLength: blob.bytes.length + 10,
      });
      expectStatus(await probe.client.send('HEAD', `/v2/${name}/blobs/${blob.digest}`), 404);
    },
  },
  {
    id: 'MUST-27',
    section: SINGLE,
    text: 'The digest is that of the blob: another digest is refused and stores nothing',
    async check(probe) {
      const name = probe.repository();
      await probe.prepare.blob(name);
      const wrong = { bytes: randomContent().bytes, digest: unknownDigest() };
      const single = await postWhole(probe, name, wrong);
      if (single.status !== 202) expectRefusal(single);
      expectRefusal(await putWhole(probe, name, wrong));
      expectStatus(await probe.client.send('HEAD', `/v2/${name}/blobs/${wrong.digest}`), 404);
    },
  },
  {
    id: 'MUST-28',
    section: SINGLE,
    text: 'A completed single POST answers 201, and the blob is there',
    async check(probe) {
      const [name, blob] = [probe.repository(), randomContent()];
      const reply = await postWhole(probe, name, blob);
      // 202 with a Location is the answer of a registry without single POST.
      expectStatus(reply, 201, 202);
      if (reply.status === 202) expectThat(location(reply) !== '', '202 without Location');
      else expectStatus(await probe.client.send('HEAD', `/v2/${name}/blobs/${blob.digest}`), 200);
    },
  },
  {
    id: 'MUST-29',
    section: SINGLE,
    text: 'A completed single POST answers with the Location of the blob',
    async check(probe) {
      const blob = randomContent();
      const reply = await postWhole(probe, probe.repository(), blob);
      if (reply.status === 202) expectThat(location(reply) !== '', '202 without Location');
      else await expectPullableLocation(probe, reply, blob);
    },
  },
  {
    id: 'MUST-44',
    section: MOUNT,
    text: 'A mounted blob answers 201',
    async check(probe) {
      expectStatus((await mount(probe)).reply, 201);
    },
  },
  {
    id: 'MUST-45',
    section: MOUNT,
    text: 'A mounted blob answers with its Location in the new repository',
    async check(probe) {
      const { blob, reply } = await mount(probe);
      await expectPullableLocation(probe, reply, blob);
    },
  },
];
