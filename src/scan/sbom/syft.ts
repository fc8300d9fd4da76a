// Syft's own JSON (anchore/syft, schema/json): artifacts with metadata, locations and the relationships between them.
import { z } from 'zod';
import { distributionOf, packageOf, type SbomContents, type SbomPackage } from './contents.ts';
import { parsePackageUrl } from './package-url-reader.ts';

const artifact = z.object({
  id: z.string().optional(),
  name: z.string(),
  version: z.string().optional(),
  purl: z.string().optional(),
  locations: z.array(z.object({ path: z.string() })).optional(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});

const schema = z.object({
  artifacts: z.array(z.unknown()),
  artifactRelationships: z
    .array(z.object({ parent: z.string(), child: z.string(), type: z.string() }))
    .optional(),
  distro: z
    .object({
      id: z.string().optional(),
      versionID: z.string().optional(),
      prettyName: z.string().optional(),
    })
    .optional(),
});

type Artifact = z.infer<typeof artifact>;

/** What is in the document; in words why it cannot be read. */
export function readSyft(value: unknown, file: string, limit: number): SbomContents | string {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return z.prettifyError(parsed.error).split('\n').join(' ');
  const { artifacts, artifactRelationships = [], distro } = parsed.data;
  if (artifacts.length > limit) return `it has more than ${limit} artifacts`;
  const known = artifacts.flatMap((entry) => artifact.safeParse(entry).data ?? []);
  const names = new Map(known.map((entry) => [entry.id ?? '', entry.name]));
  const owners = new Map<string, string>();
  for (const { parent, child, type } of artifactRelationships) {
    const owner = names.get(parent);
    if (type === 'ownership-by-file-overlap' && owner !== undefined) owners.set(child, owner);
  }
  const packages: SbomPackage[] = [];
  let skipped = artifacts.length - known.length;
  for (const entry of known) {
    const purl = parsePackageUrl(entry.purl ?? '');
    const ownedBy = owners.get(entry.id ?? '');
    const hints = {
      name: entry.name,
      version: entry.version,
      path: entry.locations?.[0]?.path,
      source: sourceOf(entry),
      ownedBy,
    };
    const made = purl && packageOf(purl, hints, file);
    if (made === undefined) skipped++;
    else packages.push(made);
  }
  const release = distributionOf(distro?.id);
  const versionId = distro?.versionID ?? '';
  const distribution = release && {
    id: distro?.id ?? release.id,
    versionId: /^[A-Za-z0-9._+~-]{1,64}$/.test(versionId) ? versionId : null,
    prettyName: (distro?.prettyName ?? release.prettyName).slice(0, 200),
  };
  return { format: 'Syft', packages, distribution, skipped };
}

/** dpkg names its source, apk its origin; without a version of its own the source has the package's. */
function sourceOf({
  metadata,
  version = '',
}: Artifact): { readonly name: string; readonly version: string } | undefined {
  const text = (key: string): string => {
    const value = metadata?.[key];
    return typeof value === 'string' ? value : '';
  };
  const name = text('source') || text('originPackage');
  return name === '' || text('sourceRpm') !== ''
    ? undefined
    : { name, version: text('sourceVersion') || version };
}
