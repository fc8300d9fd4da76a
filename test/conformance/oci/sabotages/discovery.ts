// Sabotages of tag and referrer listings.
import type { Answer, Sabotage } from '../broken-registry.ts';
import { after, answer, before, drop, each, json, on, relist, rewrite, set, status } from './breakage.ts';
import type { Change } from './breakage.ts';

const tags = on('GET', 'tags');
const referrers = on('GET', 'referrers');
const INDEX = 'application/vnd.oci.image.index.v1+json';

const backwards = relist('tags', (entries) => entries.toReversed());
const lastTwoSwapped = relist('tags', (entries) => [
  ...entries.slice(0, -2),
  ...entries.slice(-2).toReversed(),
]);
const extraDescriptor = { mediaType: INDEX, digest: `sha256:${'1'.repeat(64)}`, size: 2 };

/** Sets a Link that leads back to the same page. */
const linkToItself: Change = (reply, ask) => {
  reply.headers['link'] = `<${ask.path}>; rel="next"`;
};

function emptied(reply: Answer): void {
  relist('manifests', () => [])(reply, { method: 'GET', path: '', headers: {}, body: Buffer.alloc(0) });
}

export const discoverySabotages: readonly Sabotage[] = [
  after('MUST-60', 'answers 203', tags, status(200, 203)),
  after('MUST-61', 'lists backwards', tags, backwards),
  after('MUST-61', 'sorts versions by number', tags, lastTwoSwapped),
  after(
    'MUST-62',
    'gives no name',
    tags,
    json((value) => delete value['name']),
  ),
  after(
    'MUST-62',
    'gives tags as an object',
    tags,
    json((value) => (value['tags'] = { latest: true })),
  ),
  after('MUST-62', 'gives text', tags, (reply) => (reply.body = Buffer.from('latest'))),
  before('MUST-63', 'looks at no n', tags, rewrite(/\?.*/, '')),
  after('MUST-63', 'gives one too few and no Link', tags, (reply, ask) => {
    relist('tags', (entries) => entries.slice(1))(reply, ask);
    delete reply.headers['link'];
  }),
  after('MUST-64', 'calls the next page "more"', tags, set('link', '</v2/x>; rel="more"')),
  after('MUST-64', 'gives a bare Link', tags, set('link', '/v2/x/tags/list?last=alpha')),
  after('MUST-64', 'leads back to the same page', tags, linkToItself),
  before('MUST-65', 'looks at no n', tags, rewrite(/\?.*/, '')),
  after('MUST-65', 'refuses n=0', tags, status(200, 400)),
  after('MUST-66', 'links on from nothing', tags, linkToItself),
  after('MUST-67', 'lists backwards', tags, backwards),
  before('MUST-67', 'begins in the middle', tags, (ask) => {
    ask.path += '&last=2';
  }),
  before('MUST-68', 'takes last as a position', tags, rewrite('last=2', 'last=10')),
  before('MUST-69', 'looks at no last', tags, rewrite(/&?last=\w+/, '')),
  before('MUST-69', 'counts last in', tags, (ask) => {
    ask.path = ask.path.replace('last=alpha', 'last=2').replace('last=gamma', 'last=beta-1');
  }),
  after('MUST-70', 'lists backwards', tags, backwards),
  after('MUST-71', 'answers 204', referrers, status(200, 204)),
  after('MUST-72', 'answers 404 where there are none', referrers, status(200, 404)),
  after('MUST-73', 'answers 404', referrers, status(400, 404)),
  after('MUST-73', 'answers an empty index', referrers, (reply) => {
    if (reply.status !== 400) return;
    Object.assign(reply, answer(200, { 'content-type': INDEX }, '{"schemaVersion":2,"manifests":[]}'));
  }),
  after('MUST-74', 'answers a bare list', referrers, (reply) => {
    reply.body = Buffer.from(JSON.stringify([extraDescriptor]));
  }),
  after(
    'MUST-74',
    'loses one',
    referrers,
    relist('manifests', (entries) => entries.slice(1)),
  ),
  after(
    'MUST-74',
    'lists strangers',
    referrers,
    relist('manifests', (entries) => [...entries, extraDescriptor]),
  ),
  after(
    'MUST-74',
    'states a wrong size',
    referrers,
    each('manifests', (entry) => (entry['size'] = 1)),
  ),
  after('MUST-75', 'answers plain JSON', referrers, set('content-type', 'application/json')),
  after(
    'MUST-76',
    'leaves artifactType out',
    referrers,
    each('manifests', (entry) => delete entry['artifactType']),
  ),
  after(
    'MUST-76',
    'gives the media type of the config',
    referrers,
    each('manifests', (entry) => (entry['artifactType'] = 'application/vnd.example.config')),
  ),
  after(
    'MUST-77',
    'leaves artifactType out',
    referrers,
    each('manifests', (entry) => delete entry['artifactType']),
  ),
  after(
    'MUST-77',
    'gives an empty artifactType',
    referrers,
    each('manifests', (entry) => (entry['artifactType'] = '')),
  ),
  after(
    'MUST-78',
    'makes a type up',
    referrers,
    each('manifests', (entry) => (entry['artifactType'] = INDEX)),
  ),
  after(
    'MUST-78',
    'gives an empty artifactType',
    referrers,
    each('manifests', (entry) => (entry['artifactType'] = '')),
  ),
  after(
    'MUST-79',
    'leaves annotations out',
    referrers,
    each('manifests', (entry) => delete entry['annotations']),
  ),
  after(
    'MUST-79',
    'leaves empty annotations out',
    referrers,
    each('manifests', (entry) => (entry['annotations'] = { 'org.example.format': 'json' })),
  ),
  after('MUST-80', 'answers 404 where there are none', referrers, (reply) => {
    if (reply.body.includes('"manifests":[]')) Object.assign(reply, answer(404));
  }),
  after('MUST-80', 'gives null for an empty list', referrers, (reply) => {
    reply.body = Buffer.from(reply.body.toString().replace('"manifests":[]', '"manifests":null'));
  }),
  after('MUST-81', 'forgets the rest', referrers, drop('link')),
  after(
    'MUST-81',
    'lists one twice',
    referrers,
    relist('manifests', ([first, ...rest]) => [first, first, ...rest]),
  ),
  after('MUST-82', 'calls the next page "more"', referrers, set('link', '</v2/x>; rel="more"')),
  after('MUST-82', 'leads back to the same page', referrers, linkToItself),
  after('MUST-82', 'leads to nothing', referrers, set('link', '</v2/>; rel="next"')),
  after('MUST-83', 'does not say that it filtered', referrers, drop('oci-filters-applied')),
  {
    must: 'MUST-83',
    name: 'says so but does not filter',
    before: (ask) => {
      if (referrers(ask)) ask.path = ask.path.replace(/\?.*/, '');
    },
    after: (reply, ask) => {
      if (referrers(ask)) reply.headers['oci-filters-applied'] = 'artifactType';
    },
  },
  after('MUST-83', 'names another filter', referrers, set('oci-filters-applied', 'annotations')),
  after('MUST-98', 'loses what was there before', referrers, emptied),
  after(
    'MUST-98',
    'lists it twice',
    referrers,
    relist('manifests', ([first]) => [first, first]),
  ),
  after('MUST-99', 'shows nothing until the subject comes', referrers, emptied),
];
