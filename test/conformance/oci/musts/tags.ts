// Checks of the section "Listing Tags". The tags used sort alike by ASCII and without regard to case.
import { expectStatus, nextLink, parseJson, property, sameList, tagsOf } from '../expectations.ts';
import { expectThat } from '../must.ts';
import type { Must, Probe } from '../must.ts';

const SECTION = 'Listing Tags';
const SORTED = ['1', '10', '2', 'alpha', 'beta', 'beta-1', 'gamma', 'v1.10', 'v1.9'];

async function taggedRepository({ prepare, repository }: Probe): Promise<string> {
  const name = repository();
  await prepare.tags(name, SORTED);
  return name;
}

function expectTags(actual: readonly unknown[], expected: readonly string[]): void {
  expectThat(
    sameList(actual, expected),
    `tags are ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`,
  );
}

/** The tags lie in order; which and how many they are is another check's matter. */
function expectOrder(tags: readonly unknown[]): void {
  expectThat(tags.length > 1, 'too few tags to see an order');
  const expected = SORTED.filter((tag) => tags.includes(tag));
  expectTags(tags, expected);
}

export const tags: readonly Must[] = [
  {
    id: 'MUST-60',
    section: SECTION,
    text: 'Listing the tags of a repository answers 200',
    async check({ client, prepare, repository }) {
      const name = repository();
      await prepare.image(name, 'latest');
      expectStatus(await client.send('GET', `/v2/${name}/tags/list`), 200);
    },
  },
  {
    id: 'MUST-61',
    section: SECTION,
    text: 'Tags are listed in lexical order',
    async check(probe) {
      const name = await taggedRepository(probe);
      const reply = await probe.client.send('GET', `/v2/${name}/tags/list`);
      expectTags(tagsOf(reply), SORTED);
    },
  },
  {
    id: 'MUST-62',
    section: SECTION,
    text: 'The listing is a JSON object with the name of the repository and its tags',
    async check({ client, prepare, repository }) {
      const name = repository();
      await prepare.image(name, 'latest');
      const reply = await client.send('GET', `/v2/${name}/tags/list`);
      const listing = parseJson(reply);
      expectThat(property(listing, 'name') === name, `name is ${property(listing, 'name')}`);
      expectThat(Array.isArray(property(listing, 'tags')), 'tags is not a list');
      expectTags(tagsOf(reply), ['latest']);
    },
  },
  {
    id: 'MUST-63',
    section: SECTION,
    text: 'With n the listing has n tags, fewer only where there are no more or a Link leads on',
    async check(probe) {
      const name = await taggedRepository(probe);
      for (const n of [1, 3, SORTED.length]) {
        const reply = await probe.client.send('GET', `/v2/${name}/tags/list?n=${n}`);
        const { length } = tagsOf(reply);
        expectThat(
          length === n || (length < n && nextLink(reply) !== undefined),
          `${length} tags for n=${n}`,
        );
      }
      const more = await probe.client.send('GET', `/v2/${name}/tags/list?n=${SORTED.length + 5}`);
      expectThat(tagsOf(more).length === SORTED.length || nextLink(more) !== undefined, 'tags are missing');
    },
  },
  {
    id: 'MUST-64',
    section: SECTION,
    text: 'A Link in a listing follows RFC 5988 with rel="next", and leads through all tags',
    async check(probe) {
      const name = await taggedRepository(probe);
      const seen: unknown[] = [];
      let target: string | undefined = `/v2/${name}/tags/list?n=4`;
      for (let pages = 0; target !== undefined && pages < 20; pages++) {
        const reply = await probe.client.send('GET', target);
        expectStatus(reply, 200);
        const page = tagsOf(reply);
        seen.push(...page);
        target =
          nextLink(reply) ??
          (page.length === 4 ? `/v2/${name}/tags/list?n=4&last=${page.at(-1)}` : undefined);
      }
      expectTags(seen, SORTED);
    },
  },
  {
    id: 'MUST-65',
    section: SECTION,
    text: 'With n=0 the listing is empty',
    async check(probe) {
      const name = await taggedRepository(probe);
      const reply = await probe.client.send('GET', `/v2/${name}/tags/list?n=0`);
      expectStatus(reply, 200);
      expectTags(tagsOf(reply), []);
    },
  },
  {
    id: 'MUST-66',
    section: SECTION,
    text: 'With n=0 there is no Link',
    async check(probe) {
      const name = await taggedRepository(probe);
      const reply = await probe.client.send('GET', `/v2/${name}/tags/list?n=0`);
      expectThat(reply.headers.link === undefined, `Link is ${reply.headers.link}`);
    },
  },
  {
    id: 'MUST-67',
    section: SECTION,
    text: 'With n the tags are in lexical order, from the first one',
    async check(probe) {
      const name = await taggedRepository(probe);
      const listed = tagsOf(await probe.client.send('GET', `/v2/${name}/tags/list?n=5`));
      expectOrder(listed);
      expectThat(listed[0] === SORTED[0], `the listing begins with ${listed[0]}`);
    },
  },
  {
    id: 'MUST-68',
    section: SECTION,
    text: 'The parameter last is not a position in the listing',
    async check(probe) {
      const name = await taggedRepository(probe);
      const reply = await probe.client.send('GET', `/v2/${name}/tags/list?n=100&last=2`);
      expectTags(tagsOf(reply), SORTED.slice(SORTED.indexOf('2') + 1));
    },
  },
  {
    id: 'MUST-69',
    section: SECTION,
    text: 'The parameter last is a tag, after which the listing begins',
    async check(probe) {
      const name = await taggedRepository(probe);
      const one = await probe.client.send('GET', `/v2/${name}/tags/list?n=2&last=alpha`);
      expectTags(tagsOf(one), ['beta', 'beta-1']);
      const rest = await probe.client.send('GET', `/v2/${name}/tags/list?last=gamma`);
      expectTags(tagsOf(rest), ['v1.10', 'v1.9']);
    },
  },
  {
    id: 'MUST-70',
    section: SECTION,
    text: 'With last the tags are in lexical order',
    async check(probe) {
      const name = await taggedRepository(probe);
      expectOrder(tagsOf(await probe.client.send('GET', `/v2/${name}/tags/list?n=5&last=10`)));
    },
  },
];
