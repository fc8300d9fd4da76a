// CycloneDX JSON 1.4–1.6 (ECMA-424): components with package URLs, and what Breakwater, Trivy and Syft add as properties.
import { z } from 'zod';
import type { DistributionRelease } from '../types.ts';
import {
  distributionOf,
  packageOf,
  type PackageHints,
  type SbomContents,
  type SbomPackage,
} from './contents.ts';
import { parsePackageUrl } from './package-url-reader.ts';

const component = z.object({
  type: z.string().optional(),
  name: z.string().optional(),
  group: z.string().optional(),
  version: z.string().optional(),
  description: z.string().optional(),
  purl: z.string().optional(),
  properties: z.array(z.object({ name: z.string(), value: z.string().optional() })).optional(),
  licenses: z
    .array(
      z.object({ license: z.object({ id: z.string().optional(), name: z.string().optional() }).optional() }),
    )
    .optional(),
  components: z.array(z.unknown()).optional(),
});

type Component = z.infer<typeof component>;

const schema = z.object({
  specVersion: z.string().regex(/^1\.[4-6]$/, 'only 1.4 to 1.6 are read'),
  components: z.array(z.unknown()).optional(),
});

/** Types of components that are packages; others (files, containers, …) only describe. */
const PACKAGE_TYPES = new Set(['library', 'framework']);

/** What is in the document; in words why it cannot be read. */
export function readCyclonedx(value: unknown, file: string, limit: number): SbomContents | string {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return z.prettifyError(parsed.error).split('\n').join(' ');
  const packages: SbomPackage[] = [];
  let distribution: DistributionRelease | null = null;
  let guessed: DistributionRelease | null = null;
  let skipped = 0;
  let seen = 0;
  // Components nest without limit, so they are walked with a list of what is left to do.
  const waiting: unknown[] = [...(parsed.data.components ?? [])].reverse();
  while (waiting.length > 0) {
    if (++seen > limit) return `it has more than ${limit} components`;
    const found = component.safeParse(waiting.pop());
    if (!found.success) {
      skipped++;
      continue;
    }
    const item = found.data;
    for (const child of (item.components ?? []).toReversed()) waiting.push(child);
    if (item.type === 'operating-system') distribution ??= releaseOf(item);
    const purl = item.purl === undefined ? undefined : parsePackageUrl(item.purl);
    const made = purl === undefined ? undefined : packageOf(purl, hintsOf(item), file);
    if (made !== undefined) packages.push(made);
    else if (PACKAGE_TYPES.has(item.type ?? '')) skipped++;
    guessed ??= distributionOf(purl?.qualifiers.get('distro'));
  }
  return { format: 'CycloneDX', packages, distribution: distribution ?? guessed, skipped };
}

function releaseOf({ name, version, description }: Component): DistributionRelease | null {
  const release = distributionOf(name?.toLowerCase());
  if (release === null || name === undefined) return null;
  const versionId = version !== undefined && /^[A-Za-z0-9._+~-]{1,64}$/.test(version) ? version : null;
  return {
    id: name.toLowerCase(),
    versionId,
    prettyName: (description ?? `${name} ${version ?? ''}`).trim().slice(0, 200),
  };
}

function hintsOf(item: Component): PackageHints {
  const properties = new Map((item.properties ?? []).map(({ name, value = '' }) => [name, value]));
  const ours = (name: string): string | undefined => properties.get(`breakwater:package:${name}`);
  const name = item.group === undefined || item.group === '' ? item.name : joined(item);
  const licenses = (item.licenses ?? [])
    .map(({ license }) => license?.id ?? license?.name ?? '')
    .filter((text) => text !== '');
  return {
    name,
    version: item.version,
    source: sourceOf(ours('source'), properties),
    path:
      ours('path') ?? properties.get('syft:location:0:path') ?? properties.get('aquasecurity:trivy:FilePath'),
    layer: Number(ours('layer') ?? 0),
    ownedBy: ours('ownedBy'),
    licenses,
    detail: detailOf(properties),
  };
}

function joined({ group, name, purl }: Component): string {
  return `${group ?? ''}${purl?.startsWith('pkg:maven/') ? ':' : '/'}${name ?? ''}`;
}

function sourceOf(
  ours: string | undefined,
  properties: ReadonlyMap<string, string>,
): { readonly name: string; readonly version: string } | undefined {
  const [name, version] = ours?.split(' ') ?? [
    properties.get('aquasecurity:trivy:SrcName'),
    trivySourceVersion(properties),
  ];
  return name === undefined || version === undefined || name === '' ? undefined : { name, version };
}

/** Trivy splits `epoch:version-release` in three. */
function trivySourceVersion(properties: ReadonlyMap<string, string>): string | undefined {
  const part = (name: string): string | undefined => properties.get(`aquasecurity:trivy:Src${name}`);
  const version = part('Version');
  if (version === undefined) return undefined;
  const epoch = part('Epoch');
  const release = part('Release');
  return `${epoch === undefined || epoch === '0' ? '' : `${epoch}:`}${version}${release === undefined ? '' : `-${release}`}`;
}

const DETAIL = 'breakwater:package:detail:';

function detailOf(properties: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...properties].flatMap(([name, value]) =>
      name.startsWith(DETAIL) ? [[name.slice(DETAIL.length), value]] : [],
    ),
  );
}
