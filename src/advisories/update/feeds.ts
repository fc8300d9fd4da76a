// The feeds that `advisories update` downloads: OSV exports, CISA KEV, EPSS (`library/advisories/feeds.json`).
import feedList from '../../../library/advisories/feeds.json' with { type: 'json' };
import { GiB, MiB } from '../../core/index.ts';
import { advisoryErrors } from '../errors.ts';
import { sha256 } from '../file/format.ts';

/** One file to download. */
export interface Feed {
  /** Name in messages and in the cache. */
  readonly id: string;
  /** Where it can be had, in the order to try. */
  readonly urls: readonly URL[];
  /** `.zip`, `.json`, `.csv.gz`, …: tells what is in it. */
  readonly extension: string;
  readonly maxBytes: number;
}

const MAX_OSV_BYTES = 2 * GiB;
const MAX_FACTS_BYTES = 256 * MiB;
const EXTENSION = /\.(?:zip|json|ndjson|ndjson\.gz|csv\.gz|bwadv)$/;

/**
 * The known feeds, or those with these ids. With mirrors, only these are asked: who names a mirror does not want
 * traffic to the publishers. Throws ADVISORIES_FEED_UNKNOWN.
 */
export function knownFeeds(mirrors: readonly URL[], ids?: readonly string[]): readonly Feed[] {
  const unknown = ids?.find((id) => !feedList.feeds.some((feed) => feed.id === id));
  if (unknown !== undefined) {
    const known = feedList.feeds.map(({ id }) => id).join(', ');
    throw advisoryErrors.create('ADVISORIES_FEED_UNKNOWN', { feed: unknown, known });
  }
  const publishers: Readonly<Record<string, string | undefined>> = feedList.publishers;
  return feedList.feeds
    .filter(({ id }) => ids?.includes(id) ?? true)
    .map(({ id, publisher, path }) => {
      const bases = mirrors.length > 0 ? mirrors : [new URL(publishers[publisher] ?? '')];
      return {
        id,
        urls: bases.map((base) => new URL(encodeURI(path), withSlash(base))),
        extension: EXTENSION.exec(path)?.[0] ?? '',
        maxBytes: publisher === 'osv' ? MAX_OSV_BYTES : MAX_FACTS_BYTES,
      };
    });
}

/** A single address as a feed; its path must say what it is. Throws ADVISORIES_SOURCE_UNREADABLE. */
export function feedOfAddress(url: URL): Feed {
  const extension = EXTENSION.exec(url.pathname)?.[0];
  if (extension === undefined) {
    const reason = 'the address ends with none of .zip, .json, .ndjson.gz, .csv.gz, .bwadv';
    throw advisoryErrors.create('ADVISORIES_SOURCE_UNREADABLE', { path: url.origin + url.pathname, reason });
  }
  const name = sha256(Buffer.from(url.href)).toString('hex').slice(0, 16);
  return { id: `address-${name}`, urls: [url], extension, maxBytes: MAX_OSV_BYTES };
}

function withSlash(base: URL): URL {
  return base.pathname.endsWith('/') ? base : new URL(`${base.pathname}/`, base);
}
