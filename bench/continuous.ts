// Continuous matching on PostgreSQL: what a change of 100 advisories costs over many images with shared layers.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { buildAdvisoryFile } from '../src/advisories/index.ts';
import {
  EventBus,
  silentLogger,
  systemClock,
  systemRandomness,
  type ImageDirectory,
} from '../src/core/index.ts';
import { AdvisoryArchive } from '../src/scan/continuous/archive.ts';
import { matchAdvisories, type MatchingReport } from '../src/scan/continuous/matching.ts';
import { openStore, type Store } from '../src/store/index.ts';
import { postgresMissing, startPostgres } from '../test/fixtures/postgres.ts';
import type { Bench } from './bench.ts';
import type { Figure } from './measure.ts';

/** A base image has 9 groups of 30 packages, an application one group of 30. */
const GROUP = 30;
const BASE_GROUPS = 9;
const BASES = 200;
const BASE_NAMES = 2_000;
const APPLICATION_NAMES = 18_000;
const VERSIONS = 3;
/** How many images share an application layer. */
const SHARED_BY = 20;
const CHANGES = 100;
const KNOWN_RECORDS = 5_000;

export const continuousBench: Bench = {
  name: 'continuous',
  title: `a change of ${CHANGES} advisories over images of 300 packages with shared layers, on PostgreSQL`,
  missing: postgresMissing,
  run: async ({ smoke, directory }) => {
    const images = smoke ? 1_000 : 100_000;
    const server = await startPostgres();
    try {
      const store = await openStore({
        dataDirectory: join(directory, 'data'),
        databaseUrl: server.url,
        logger: silentLogger(),
        clock: systemClock,
        randomness: systemRandomness,
      });
      try {
        return await measure(store, directory, images);
      } finally {
        await store.jobs.stop(1_000);
        await store.close();
      }
    } finally {
      await server.stop();
    }
  },
};

async function measure(store: Store, directory: string, images: number): Promise<readonly Figure[]> {
  const path = join(directory, 'latest.advisories');
  const archive = new AdvisoryArchive(directory, path);
  const options = {
    store,
    directory: everyImage,
    events: new EventBus(silentLogger()),
    logger: silentLogger(),
    clock: systemClock,
    archive,
  };
  const { signal } = new AbortController();
  const known = Array.from({ length: KNOWN_RECORDS }, (_, index) => record(index, `unheard-of-${index}`));
  await publish(directory, path, known);
  await matchAdvisories(options, signal);
  await fill(store, images);
  const figures: Figure[] = [];
  const step = async (name: string, records: readonly unknown[]): Promise<void> => {
    await publish(directory, path, records);
    const started = performance.now();
    const [report] = await matchAdvisories(options, signal);
    const seconds = (performance.now() - started) / 1000;
    if (report === undefined) throw new Error('nothing was matched');
    figures.push(...figuresOf(name, images, seconds, report));
  };
  const application = Array.from({ length: CHANGES }, (_, index) =>
    record(10_000 + index, `app-${index * 7}`),
  );
  await step('applications', [...known, ...application]);
  const base = Array.from({ length: 3 }, (_, index) => record(20_000 + index, `base-${index * 7}`));
  await step('3 of base images', [...known, ...application, ...base]);
  await step('withdrawn', [...known, ...base]);
  return figures;
}

function figuresOf(name: string, images: number, seconds: number, report: MatchingReport): readonly Figure[] {
  const { touchedPackages, touchedImages, changedImages, rows } = report;
  const detail = `${touchedPackages ?? 0} packages; ${touchedImages} of ${images} images matched, ${changedImages} changed`;
  return [
    { name: `${name}, wall time`, value: seconds, unit: 's', bar: { max: 30 }, detail },
    {
      name: `${name}, rows written per changed image`,
      value: rows / Math.max(1, changedImages),
      unit: 'rows',
      bar: { max: 8 },
      detail: `${rows} rows`,
    },
  ];
}

function record(id: number, name: string): unknown {
  return {
    schema_version: '1.6.0',
    id: `GHSA-${id}`,
    modified: '2026-01-01T00:00:00Z',
    database_specific: { severity: 'HIGH' },
    affected: [
      {
        package: { ecosystem: 'npm', name },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '3.0.0' }] }],
      },
    ],
  };
}

async function publish(directory: string, path: string, records: readonly unknown[]): Promise<void> {
  const source = join(directory, 'records.ndjson');
  writeFileSync(source, records.map((one) => `${JSON.stringify(one)}\n`).join(''));
  await buildAdvisoryFile([source], join(directory, 'next'), { clock: systemClock });
  renameSync(join(directory, 'next'), path);
}

/** The scans' rows as real scans of such images would leave them, made in the database. */
async function fill({ db }: Store, images: number): Promise<void> {
  const names = BASE_NAMES + APPLICATION_NAMES;
  await sql`
    insert into scan_coordinate (key, kind, name, version, purl)
    select name || '@' || version, 'npm', name, version, 'pkg:npm/' || name || '@' || version
    from (select case when n < ${BASE_NAMES} then 'base-' || n else 'app-' || (n - ${BASE_NAMES}) end as name,
        v || '.0.0' as version
      from generate_series(0, ${names - 1}::integer) n, generate_series(1, ${VERSIONS}::integer) v
      order by n, v) made`.execute(db);
  await sql`
    insert into scan_package_name (ecosystem, name, coordinate_id) select 'npm', name, id from scan_coordinate`.execute(
    db,
  );
  const applications = Math.ceil(images / SHARED_BY);
  const bases = BASES * BASE_GROUPS;
  await sql`
    insert into scan_package_group (key)
    select 'g' || g from generate_series(0, ${bases + applications - 1}::integer) g order by g`.execute(db);
  await sql`
    insert into scan_package_group_item (group_id, ordinal, coordinate_id, path, licenses)
    select g + 1, o, 1 + case when g < ${bases} then (g * 7919 + o * 104729) % ${BASE_NAMES * VERSIONS}
        else ${BASE_NAMES * VERSIONS} + (g * 7919 + o * 104729) % ${APPLICATION_NAMES * VERSIONS} end,
      'node_modules/' || o || '/package.json', '[]'
    from generate_series(0, ${bases + applications - 1}::bigint) g, generate_series(0, ${GROUP - 1}::bigint) o`.execute(
    db,
  );
  await sql`
    insert into scan_image (digest, status, trigger, requested_at, finished_at, attempt, generation,
      package_generation, matched_epoch, matched_at, layers, problems, package_count, counts, advisories)
    select 'sha256:' || md5(i::text) || md5('x' || i), 'finished', 'push', now(), now(), 1, 1, 1,
      (select epoch from scan_advisory_current), now(), '[{"digest": "sha256:base"}, {"digest": "sha256:app"}]', '[]',
      ${GROUP * (BASE_GROUPS + 1)},
      '{"critical": 0, "high": 0, "medium": 0, "low": 0, "informational": 0, "unknown": 0}',
      '{"kind": "file", "digest": "", "builtAt": "2026-01-01", "ageHours": 0, "advisories": 1, "notices": []}'
    from generate_series(0, ${images - 1}::integer) i`.execute(db);
  await sql`
    insert into scan_image_group (image_digest, generation, position, layer, group_id)
    select 'sha256:' || md5(i::text) || md5('x' || i), 1, p, case when p < ${BASE_GROUPS} then 0 else 1 end,
      1 + case when p < ${BASE_GROUPS} then (i % ${BASES}) * ${BASE_GROUPS} + p else ${bases} + i / ${SHARED_BY} end
    from generate_series(0, ${images - 1}::integer) i, generate_series(0, ${BASE_GROUPS}::integer) p`.execute(
    db,
  );
  await sql`analyze`.execute(db);
}

/** Every image is stored, in one repository. */
const everyImage: ImageDirectory = {
  list: () => Promise.resolve({ images: [], nextCursor: null }),
  find: async (digest) => (await everyImage.findMany([digest]))[0],
  findMany: (digests) =>
    Promise.resolve(
      digests.map((digest) => ({
        digest,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        kind: 'image',
        size: 1,
        artifactType: null,
        locations: [
          { repository: 'bench', tags: [], pushedAt: '', pushedBy: '', lastPulledAt: null, pulls: 0 },
        ],
        children: [],
      })),
    ),
  resolve: () => Promise.resolve(undefined),
};
