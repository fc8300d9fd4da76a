// Sabotages of pushing blobs and manifests.
import type { Answer, Ask, Sabotage } from '../broken-registry.ts';
import { after, answer, before, drop, on, set, status } from './breakage.ts';

const noLocation = drop('location');
const elsewhere = set('location', '/v2/conformance/elsewhere/blobs/sha256:0');
const noSuchHeader = drop('range');

/** Refusals become what a registry would say that looked no further. */
function accepted(code: number) {
  return (reply: Answer): void => {
    if (reply.status < 400) return;
    reply.status = code;
    reply.headers['location'] = '/v2/conformance/x/blobs/uploads/y';
  };
}

function withoutContentRange(ask: Ask): void {
  delete ask.headers['content-range'];
}

export const pushSabotages: readonly Sabotage[] = [
  before('MUST-19', 'wants the subject first', on('PUT', 'manifest'), (ask) =>
    ask.body.includes('"subject"') ? answer(404) : undefined,
  ),
  after('MUST-20', 'refuses without saying why', on('PUT', 'manifest'), (reply) => {
    Object.assign(
      reply,
      answer(400, { 'content-type': 'application/json' }, '{"errors":[{"code":"MANIFEST_INVALID"}]}'),
    );
  }),
  before('MUST-20', 'falls over', on('PUT', 'manifest'), () => answer(500)),
  after('MUST-21', 'answers 201', on('POST', 'uploads'), status(202, 201)),
  after('MUST-22', 'gives no Location', on('POST', 'uploads'), noLocation),
  after('MUST-23', 'counts its uploads', on('POST', 'uploads'), set('location', '/v2/x/blobs/uploads/17')),
  after(
    'MUST-23',
    'has one upload for all',
    on('POST', 'uploads'),
    set('location', '/v2/x/blobs/uploads/7b2c7a54-36d3-4f0c-9d3b-6a4f0e7f1f11'),
  ),
  after('MUST-24', 'answers 200', on('PUT', 'session'), status(201, 200)),
  after('MUST-25', 'gives no Location', on('PUT', 'session'), noLocation),
  after('MUST-25', 'gives a Location without the blob', on('PUT', 'session'), elsewhere),
  after('MUST-26', 'keeps what was broken off', on('HEAD', 'blob'), status(404, 200)),
  after('MUST-27', 'takes any digest', on('PUT|POST', 'any'), accepted(201)),
  after('MUST-27', 'refuses but keeps the blob', on('HEAD', 'blob'), status(404, 200)),
  after('MUST-28', 'answers 200', on('POST', 'uploads'), status(201, 200)),
  before('MUST-28', 'stores nothing', on('POST', 'uploads'), () => answer(201, { location: '/x' })),
  after('MUST-29', 'gives no Location', on('POST', 'uploads'), noLocation),
  after('MUST-29', 'gives a Location without the blob', on('POST', 'uploads'), elsewhere),
  before('MUST-30', 'wants a body', on('POST', 'uploads'), (ask) =>
    ask.headers['content-length'] === '0' ? answer(411) : undefined,
  ),
  before('MUST-31', 'looks at no range', on('PATCH', 'session'), withoutContentRange),
  before('MUST-31', 'counts the end out', on('PATCH', 'session'), (ask) => {
    ask.headers['content-range'] = (ask.headers['content-range'] ?? '').replace(
      /\d+$/,
      (end) => `${Number(end) - 1}`,
    );
  }),
  before('MUST-32', 'looks at no range', on('PATCH', 'session'), withoutContentRange),
  after('MUST-32', 'answers 400', on('PATCH', 'session'), status(416, 400)),
  before('MUST-33', 'looks at no range', on('PATCH', 'session'), withoutContentRange),
  after('MUST-33', 'falls over', on('PATCH', 'session'), status(4, 500)),
  after('MUST-34', 'answers 204', on('PATCH', 'session'), status(202, 204)),
  after('MUST-35', 'gives no Location', on('PATCH', 'session'), noLocation),
  after('MUST-35', 'gives no Range', on('PATCH', 'session'), noSuchHeader),
  after('MUST-35', 'counts the end out', on('PATCH', 'session'), (reply) => {
    reply.headers['range'] = String(reply.headers['range']).replace(/\d+$/, (end) => `${Number(end) + 1}`);
  }),
  before('MUST-36', 'forgets the first chunk', on('GET', 'blob'), (ask) => {
    ask.headers['range'] = 'bytes=150-';
  }),
  after('MUST-36', 'refuses the closing', on('PUT', 'session'), status(201, 400)),
  before('MUST-37', 'looks at no range', on('PATCH', 'session'), withoutContentRange),
  after('MUST-37', 'answers 400', on('PATCH', 'session'), status(416, 400)),
  before('MUST-37', 'gives up the upload', on('PATCH', 'session'), () => answer(416)),
  after('MUST-38', 'shows the blob before the closing', on('HEAD', 'blob'), status(404, 200)),
  after('MUST-38', 'never shows the blob', on('HEAD', 'blob'), status(200, 404)),
  before('MUST-38', 'takes no chunk in the closing', on('PUT', 'session'), (ask) =>
    ask.body.length > 0 ? answer(400) : undefined,
  ),
  after('MUST-39', 'closes without a digest', on('PUT', 'session'), accepted(201)),
  before('MUST-39', 'takes the digest of the last chunk', on('PUT', 'session'), (ask) =>
    ask.path.includes('digest=') ? answer(201, { location: '/x' }) : undefined,
  ),
  after('MUST-40', 'answers 204', on('PUT', 'session'), status(201, 204)),
  after('MUST-41', 'gives no Location', on('PUT', 'session'), noLocation),
  after('MUST-41', 'gives a Location without the blob', on('PUT', 'session'), elsewhere),
  after('MUST-42', 'answers 200', on('GET', 'session'), status(204, 200)),
  after('MUST-43', 'gives no Location', on('GET', 'session'), noLocation),
  after('MUST-43', 'gives no Range', on('GET', 'session'), noSuchHeader),
  after('MUST-43', 'says nothing came yet', on('GET', 'session'), set('range', '0-0')),
  after('MUST-44', 'answers 200', on('POST', 'uploads'), status(201, 200)),
  before('MUST-44', 'cannot mount', on('POST', 'uploads'), (ask) => {
    ask.path = ask.path.replace(/\?.*/, '');
  }),
  after('MUST-45', 'gives no Location', on('POST', 'uploads'), noLocation),
  after('MUST-45', 'gives a Location without the blob', on('POST', 'uploads'), elsewhere),
  before('MUST-47', 'takes any digest', on('PUT', 'manifest by digest'), () => answer(201)),
  before('MUST-47', 'takes tags only', on('PUT', 'manifest by digest'), () => answer(400)),
  after('MUST-49', 'tidies the JSON up', on('GET', 'manifest'), (reply) => {
    reply.body = Buffer.from(JSON.stringify(JSON.parse(reply.body.toString())));
  }),
  after('MUST-50', 'answers 200', on('PUT', 'manifest'), status(201, 200)),
  after('MUST-50', 'answers 202 for a digest', on('PUT', 'manifest by digest'), status(201, 202)),
  after('MUST-51', 'gives no Location', on('PUT', 'manifest'), noLocation),
  after(
    'MUST-51',
    'gives a Location without the manifest',
    on('PUT', 'manifest'),
    set('location', '/v2/x/manifests/y'),
  ),
  after(
    'MUST-52',
    'states another digest',
    on('PUT', 'manifest'),
    set('docker-content-digest', `sha256:${'0'.repeat(64)}`),
  ),
  after('MUST-54', 'says nothing of the subject', on('PUT', 'manifest'), drop('oci-subject')),
  after('MUST-54', 'names the manifest itself', on('PUT', 'manifest'), (reply) => {
    reply.headers['oci-subject'] = String(reply.headers['docker-content-digest']);
  }),
];
