// Checks of the section "Requirements": whole categories of the API are there.
import { expectStatus } from '../expectations.ts';
import type { Must } from '../must.ts';
import { location, OCTETS, withDigest } from '../preparation.ts';
import { randomContent } from '../content.ts';

export const requirements: readonly Must[] = [
  {
    id: 'MUST-01',
    section: 'Requirements',
    text: 'Every registry offers the whole Pull category',
    async check({ client, prepare, repository }) {
      const name = repository();
      const image = await prepare.image(name, 'latest');
      const blob = await prepare.blob(name);
      expectStatus(await client.send('GET', '/v2/'), 200);
      for (const method of ['GET', 'HEAD']) {
        expectStatus(await client.send(method, `/v2/${name}/manifests/latest`), 200);
        expectStatus(await client.send(method, `/v2/${name}/manifests/${image.digest}`), 200);
        expectStatus(await client.send(method, `/v2/${name}/blobs/${blob.digest}`), 200);
      }
    },
  },
  {
    id: 'MUST-02',
    section: 'Requirements',
    text: 'A registry that offers Push, Content Discovery and Content Management offers all their endpoints',
    async check({ client, prepare, repository }) {
      const name = repository();
      const manifest = await prepare.unstoredImage(name);
      const blob = randomContent();
      const started = await client.send('POST', `/v2/${name}/blobs/uploads/`);
      expectStatus(started, 202);
      const chunk = await client.send('PATCH', location(started), { body: blob.bytes, headers: OCTETS });
      expectStatus(chunk, 202);
      expectStatus(await client.send('GET', location(chunk)), 204);
      expectStatus(await client.send('PUT', withDigest(location(chunk), blob.digest)), 201);
      const headers = { 'content-type': manifest.mediaType };
      const target = `/v2/${name}/manifests/latest`;
      expectStatus(await client.send('PUT', target, { body: manifest.bytes, headers }), 201);
      expectStatus(await client.send('GET', `/v2/${name}/tags/list`), 200);
      expectStatus(await client.send('GET', `/v2/${name}/referrers/${manifest.digest}`), 200);
      expectStatus(await client.send('DELETE', target), 202);
      expectStatus(await client.send('DELETE', `/v2/${name}/manifests/${manifest.digest}`), 202);
      expectStatus(await client.send('DELETE', `/v2/${name}/blobs/${blob.digest}`), 202);
    },
  },
];
