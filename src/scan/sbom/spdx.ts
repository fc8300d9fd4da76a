// SPDX 2.3 JSON (spdx.github.io/spdx-spec/v2.3): packages with package URLs, and our annotations on them.
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

const item = z.object({
  name: z.string().optional(),
  versionInfo: z.string().optional(),
  description: z.string().optional(),
  primaryPackagePurpose: z.string().optional(),
  externalRefs: z
    .array(z.object({ referenceType: z.string().optional(), referenceLocator: z.string().optional() }))
    .optional(),
  annotations: z.array(z.object({ comment: z.string().optional() })).optional(),
});

const schema = z.object({
  spdxVersion: z.string().regex(/^SPDX-2\.[23]$/, 'only SPDX 2.2 and 2.3 are read'),
  packages: z.array(z.unknown()).optional(),
});

/** What Breakwater notes on a package: `breakwater:package {…}`. */
const noted = z.object({
  layer: z.int().optional(),
  path: z.string().optional(),
  source: z.object({ name: z.string(), version: z.string() }).optional(),
  ownedBy: z.string().optional(),
  licenses: z.array(z.string()).optional(),
  detail: z.record(z.string(), z.string()).optional(),
});

/** What is in the document; in words why it cannot be read. */
export function readSpdx(value: unknown, file: string, limit: number): SbomContents | string {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return z.prettifyError(parsed.error).split('\n').join(' ');
  const listed = parsed.data.packages ?? [];
  if (listed.length > limit) return `it has more than ${limit} packages`;
  const packages: SbomPackage[] = [];
  let distribution: DistributionRelease | null = null;
  let guessed: DistributionRelease | null = null;
  let skipped = 0;
  for (const entry of listed) {
    const found = item.safeParse(entry);
    if (!found.success) {
      skipped++;
      continue;
    }
    const { name, versionInfo: version, primaryPackagePurpose: purpose, externalRefs = [] } = found.data;
    if (purpose === 'OPERATING-SYSTEM' || purpose === 'OPERATING_SYSTEM') {
      const id = distributionOf(name?.toLowerCase());
      if (id !== null && name !== undefined) distribution ??= release(name, version, found.data.description);
      continue;
    }
    const reference = externalRefs.find(({ referenceType }) => referenceType === 'purl');
    const purl = parsePackageUrl(reference?.referenceLocator ?? '');
    const made = purl && packageOf(purl, { name, version, ...hintsOf(found.data) }, file);
    if (made !== undefined) packages.push(made);
    else if (purpose === undefined || purpose === 'LIBRARY') skipped++;
    guessed ??= distributionOf(purl?.qualifiers.get('distro'));
  }
  return { format: 'SPDX', packages, distribution: distribution ?? guessed, skipped };
}

function release(
  name: string,
  version: string | undefined,
  description: string | undefined,
): DistributionRelease {
  const versionId = version !== undefined && /^[A-Za-z0-9._+~-]{1,64}$/.test(version) ? version : null;
  return {
    id: name.toLowerCase(),
    versionId,
    prettyName: (description ?? `${name} ${version ?? ''}`).trim().slice(0, 200),
  };
}

const NOTE = 'breakwater:package ';

function hintsOf({ annotations = [] }: z.infer<typeof item>): PackageHints {
  const comment = annotations.find((annotation) => annotation.comment?.startsWith(NOTE))?.comment;
  if (comment === undefined) return {};
  try {
    const parsed = noted.safeParse(JSON.parse(comment.slice(NOTE.length)));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}
