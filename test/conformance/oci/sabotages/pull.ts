// Sabotages of pulling, and of whole categories of the API.
import type { Sabotage } from '../broken-registry.ts';
import { after, answer, before, damage, on, set, status } from './breakage.ts';

const pulls = (kind: 'manifest' | 'blob') => on('GET', kind);
const noRoute = status(0, 404);
const otherDigest = set('docker-content-digest', `sha256:${'0'.repeat(64)}`);
const created = () => answer(201, { location: '/v2/x/manifests/y' });

export const pullSabotages: readonly Sabotage[] = [
  after('MUST-01', 'knows no version check', on('GET', 'any'), (reply, ask) => {
    if (ask.path === '/v2/') reply.status = 404;
  }),
  after('MUST-01', 'knows no HEAD of manifests', on('HEAD', 'manifest'), noRoute),
  after('MUST-01', 'knows no GET of blobs', pulls('blob'), noRoute),
  after('MUST-02', 'knows no upload status', on('GET', 'session'), noRoute),
  after('MUST-02', 'knows no tag listing', on('GET', 'tags'), noRoute),
  after('MUST-02', 'knows no referrers', on('GET', 'referrers'), noRoute),
  after('MUST-02', 'knows no chunks', on('PATCH', 'session'), status(202, 405)),
  after('MUST-02', 'deletes no tags', on('DELETE', 'manifest by tag'), status(202, 405)),
  after('MUST-02', 'deletes no blobs', on('DELETE', 'blob'), status(202, 405)),
  after('MUST-03', 'knows tags only', on('GET', 'manifest by digest'), noRoute),
  after('MUST-03', 'knows digests only', on('GET', 'manifest by tag'), noRoute),
  before('MUST-04', 'takes any reference', on('PUT', 'manifest'), created),
  before('MUST-04', 'falls over', on('PUT', 'manifest'), () => answer(500)),
  before('MUST-05', 'takes any name', on('POST', 'uploads'), () => answer(202, { location: '/v2/x' })),
  before('MUST-05', 'takes no double underscore', on('POST', 'uploads'), (ask) =>
    ask.path.includes('__') ? answer(400) : undefined,
  ),
  before('MUST-06', 'takes long tags', on('PUT', 'manifest'), (ask) => {
    ask.path = ask.path.replace(/t{100,}/, 'long');
  }),
  before('MUST-06', 'takes short tags only', on('PUT', 'manifest'), () => answer(400)),
  before('MUST-07', 'takes any tag', on('PUT', 'manifest'), created),
  before('MUST-07', 'takes small letters only', on('PUT', 'manifest'), (ask) =>
    /\/[a-z0-9]+$/.test(ask.path) ? undefined : answer(400),
  ),
  after('MUST-08', 'turns a bit over', pulls('manifest'), damage),
  before('MUST-08', 'gives another manifest', on('GET', 'manifest by tag'), (ask) => {
    ask.path = ask.path.replace('/second', '/first');
  }),
  after('MUST-09', 'answers 203', pulls('manifest'), status(200, 203)),
  after('MUST-09', 'redirects', pulls('manifest'), status(200, 307)),
  after('MUST-10', 'states another digest', pulls('manifest'), otherDigest),
  after('MUST-11', 'answers 400', pulls('manifest'), status(404, 400)),
  after('MUST-11', 'answers 200', pulls('manifest'), status(404, 200)),
  after('MUST-12', 'turns a bit over', pulls('blob'), damage),
  after('MUST-12', 'loses the last byte', pulls('blob'), (reply) => {
    reply.body = reply.body.subarray(0, -1);
  }),
  after('MUST-13', 'answers 206', pulls('blob'), status(200, 206)),
  after('MUST-14', 'states another digest', pulls('blob'), otherDigest),
  after('MUST-16', 'answers 410', pulls('blob'), status(404, 410)),
  after('MUST-16', 'answers 200', pulls('blob'), status(404, 200)),
  after('MUST-17', 'answers 204', on('HEAD', 'any'), status(200, 204)),
  after('MUST-17', 'knows no HEAD of blobs', on('HEAD', 'blob'), status(200, 405)),
  after('MUST-18', 'answers 200', on('HEAD', 'any'), status(404, 200)),
  after('MUST-18', 'answers 400 for blobs', on('HEAD', 'blob'), status(404, 400)),
  after('MUST-53', 'answers 200', on('GET', 'manifest'), status(404, 200)),
  after('MUST-53', 'answers 401', on('GET', 'any'), status(404, 401)),
  after('MUST-86', 'answers 200', on('DELETE', 'manifest'), status(202, 200)),
  before('MUST-86', 'deletes nothing', on('DELETE', 'manifest'), () => answer(202)),
  after('MUST-86', 'takes the manifest along', on('GET', 'manifest by digest'), status(200, 404)),
  after('MUST-88', 'answers 204', on('DELETE', 'manifest'), status(202, 204)),
  before('MUST-88', 'deletes nothing', on('DELETE', 'manifest'), () => answer(202)),
  after('MUST-88', 'leaves the tags', on('GET', 'manifest by tag'), status(404, 200)),
  after('MUST-89', 'answers 202', on('DELETE', 'manifest'), status(404, 202)),
  after('MUST-89', 'answers 400', on('DELETE', 'manifest'), status(404, 400)),
  after('MUST-91', 'answers 200', on('DELETE', 'blob'), status(202, 200)),
  before('MUST-91', 'deletes nothing', on('DELETE', 'blob'), () => answer(202)),
  after('MUST-92', 'answers 202', on('DELETE', 'blob'), status(404, 202)),
  after('MUST-92', 'answers 405', on('DELETE', 'blob'), status(404, 405)),
];
