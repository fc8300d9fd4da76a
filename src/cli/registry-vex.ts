// `--vex-from-registry`: VEX documents attached to the scanned image as referrers. They are not signed: the flag is the trust.
import { describeError } from '../core/index.ts';
import { type Descriptor, isDigest, ociErrors, parseManifest, type RegistryClient } from '../oci/index.ts';
import { MAX_VEX_BYTES, parseVexDocument, type ScanReport, type VexDocument } from '../scan/index.ts';

/** Artifact types of VEX documents and of what may hold one. */
const ARTIFACT_TYPES = new Set([
  'application/vnd.openvex+json',
  'application/openvex+json',
  'application/vnd.cyclonedx+json',
  'application/csaf+json',
  'application/vnd.in-toto+json',
  'application/vnd.dsse.envelope.v1+json',
]);

const MAX_DOCUMENTS = 50;

export interface RegistryVex {
  readonly documents: readonly VexDocument[];
  /** What was attached and could not be read, in words. */
  readonly problems: readonly string[];
}

/** Reads what is attached to the images of the reports. Throws what the registry answers. */
export async function readRegistryVex(
  client: RegistryClient,
  repository: string,
  reports: readonly ScanReport[],
): Promise<RegistryVex> {
  const documents: VexDocument[] = [];
  const problems: string[] = [];
  for (const report of reports) {
    const digest = report.image?.digest;
    if (digest === undefined || !isDigest(digest)) continue;
    const attached = (await client.referrers(repository, digest)).filter(({ artifactType }) =>
      ARTIFACT_TYPES.has(artifactType ?? ''),
    );
    if (attached.length > MAX_DOCUMENTS)
      problems.push(`only the first ${MAX_DOCUMENTS} attached documents were read`);
    for (const descriptor of attached.slice(0, MAX_DOCUMENTS)) {
      const read = await readAttached(client, repository, descriptor);
      if (typeof read === 'string') problems.push(`VEX ${descriptor.digest}: ${read}`);
      else if (read !== undefined && read.statements.length > 0) documents.push(read);
    }
  }
  return { documents, problems };
}

/** The document; in words why it cannot be read; undefined for an attestation of something else. */
async function readAttached(
  client: RegistryClient,
  repository: string,
  descriptor: Descriptor,
): Promise<VexDocument | string | undefined> {
  const { bytes, mediaType } = await client.manifest(repository, descriptor.digest);
  try {
    const manifest = parseManifest(bytes, mediaType);
    const layer = manifest.kind === 'image' ? manifest.layers[0] : undefined;
    if (layer === undefined) return 'it has no content';
    if (layer.size > MAX_VEX_BYTES) return 'it is too large';
    const content: Buffer[] = [];
    for await (const chunk of client.blob(repository, layer)) if (Buffer.isBuffer(chunk)) content.push(chunk);
    return parseVexDocument(unwrapped(Buffer.concat(content)), descriptor.digest);
  } catch (error) {
    if (ociErrors.is(error) && !ociErrors.is(error, 'OCI_MANIFEST_INVALID')) throw error;
    const attestation = /in-toto|dsse/.test(descriptor.artifactType ?? '');
    return attestation ? undefined : describeError(error);
  }
}

/** The payload of a DSSE envelope, whose signature nobody checks here; anything else as it is. */
function unwrapped(bytes: Buffer): Buffer {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (
      typeof value === 'object' &&
      value !== null &&
      'payload' in value &&
      typeof value.payload === 'string'
    )
      return Buffer.from(value.payload, 'base64');
  } catch {
    // The reader of the document says what is wrong with it.
  }
  return bytes;
}
