// `scan --attach`: pushes SBOM and report as referrers of the scanned image (OCI image-spec 1.1, "subject").
import { createHash } from 'node:crypto';
import {
  type Descriptor,
  type Digest,
  isDigest,
  OCI_EMPTY,
  OCI_IMAGE_INDEX,
  OCI_IMAGE_MANIFEST,
  type Reference,
  type RegistryClient,
} from '../oci/index.ts';
import type { ScanReport } from '../scan/index.ts';
import { type FormatContext, type FormatName, loadFormat } from './formats/format.ts';

export const ATTACHMENTS = ['sbom', 'report'] as const;
export type Attachment = (typeof ATTACHMENTS)[number];

const KINDS: Readonly<Record<Attachment, { readonly format: FormatName; readonly mediaType: string }>> = {
  sbom: { format: 'cyclonedx', mediaType: 'application/vnd.cyclonedx+json' },
  report: { format: 'sarif', mediaType: 'application/sarif+json' },
};

/** Identifies what a document says, without the times at which it was said. */
const CONTENT = 'io.breakwater.content';

export interface AttachedArtifact {
  readonly attachment: Attachment;
  readonly subject: string;
  readonly digest: string;
  /** False when an artifact with the same content was there. */
  readonly pushed: boolean;
}

/** Attaches to every image that was scanned; what could not be scanned gets nothing. Throws what the registry answers. */
export async function attachReports(
  client: RegistryClient,
  { repository }: Pick<Reference, 'repository'>,
  reports: readonly ScanReport[],
  wanted: readonly Attachment[],
  context: FormatContext,
): Promise<readonly AttachedArtifact[]> {
  const attached: AttachedArtifact[] = [];
  for (const report of reports) {
    const subject = report.image?.digest;
    if (report.status !== 'finished' || subject === undefined || !isDigest(subject)) continue;
    for (const attachment of wanted) {
      attached.push(await attach(client, repository, subject, report, attachment, context));
    }
  }
  return attached;
}

async function attach(
  client: RegistryClient,
  repository: string,
  subject: Digest,
  report: ScanReport,
  attachment: Attachment,
  context: FormatContext,
): Promise<AttachedArtifact> {
  const { format, mediaType } = KINDS[attachment];
  const content = contentHash(report, attachment, context.toolVersion);
  const there = await client.referrers(repository, subject, mediaType);
  const equal = there.find((descriptor) => descriptor.annotations?.[CONTENT] === content);
  if (equal !== undefined) return { attachment, subject, digest: equal.digest, pushed: false };
  const text = (await loadFormat(format)).render([report], { ...context, colour: false });
  const image = await client.manifest(repository, subject);
  const document = await client.pushBlob(repository, Buffer.from(text));
  const config = await client.pushBlob(repository, Buffer.from('{}'));
  const annotations = { 'org.opencontainers.image.created': report.scannedAt, [CONTENT]: content };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_IMAGE_MANIFEST,
    artifactType: mediaType,
    config: { mediaType: OCI_EMPTY, ...config },
    layers: [{ mediaType, ...document }],
    subject: { mediaType: image.mediaType, digest: subject, size: image.bytes.length },
    annotations,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = await client.pushManifest(repository, null, { bytes, mediaType: OCI_IMAGE_MANIFEST });
  const descriptor = {
    mediaType: OCI_IMAGE_MANIFEST,
    digest,
    size: bytes.length,
    artifactType: mediaType,
    annotations,
  };
  await listAsReferrer(client, repository, subject, descriptor);
  return { attachment, subject, digest, pushed: true };
}

/** Registries without the referrers API get the index under the tag that stands for it (distribution-spec 1.1). */
async function listAsReferrer(
  client: RegistryClient,
  repository: string,
  subject: Digest,
  descriptor: Descriptor,
): Promise<void> {
  const known = await client.referrers(repository, subject);
  if (known.some((one) => one.digest === descriptor.digest)) return;
  const index = { schemaVersion: 2, mediaType: OCI_IMAGE_INDEX, manifests: [...known, descriptor] };
  const bytes = Buffer.from(JSON.stringify(index));
  await client.pushManifest(repository, subject.replace(':', '-'), { bytes, mediaType: OCI_IMAGE_INDEX });
}

function contentHash(report: ScanReport, attachment: Attachment, toolVersion: string): string {
  const { packages, findings, secrets, distribution, problems, advisories } = report;
  const facts = [
    attachment,
    toolVersion,
    packages,
    findings,
    secrets,
    distribution,
    problems,
    advisories.digest,
  ];
  const hash = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
  return `sha256:${hash}`;
}
