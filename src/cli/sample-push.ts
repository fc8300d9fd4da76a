// Pushes the sample image through the server's own registry and reads its findings back through the API.
import { z } from 'zod';
import { describeError, httpSend, MiB, readBody, SEVERITIES, systemClock } from '../core/index.ts';
import { RegistryClient } from '../oci/index.ts';
import { PACKAGE_KINDS, type ScanReport } from '../scan/index.ts';
import { cliErrors } from './errors.ts';
import { buildSampleImage } from './sample-image.ts';

const REPOSITORY = 'samples/first-look';
const TAG = '1.0';
export const SAMPLE_NAME = `${REPOSITORY}:${TAG}`;

/** Longest wait for the scan, and between two looks, in milliseconds. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 150;

interface Place {
  readonly registryAddress: string;
  readonly credential: { readonly username: string; readonly password: string };
  readonly signal: AbortSignal;
}

/** Resolves to the digest of the pushed manifest. */
export async function pushSample({ registryAddress, credential, signal }: Place): Promise<string> {
  const image = buildSampleImage();
  const client = new RegistryClient(registryAddress, {
    credential: { kind: 'basic', ...credential },
    plainHttp: true,
    clock: systemClock,
    signal,
  });
  for (const blob of [...image.layers, image.config]) await client.pushBlob(REPOSITORY, blob.bytes);
  return client.pushManifest(REPOSITORY, TAG, { bytes: image.manifest, mediaType: image.mediaType });
}

/**
 * The scan of the sample as a report, once it has ended.
 * @throws CLI_SAMPLE_FAILED when it fails or takes longer than a minute.
 */
export async function readSampleReport(
  place: Place & { readonly apiUrl: string; readonly digest: string },
): Promise<ScanReport> {
  const { digest, registryAddress, signal } = place;
  const end = systemClock.now() + PATIENCE_MS;
  while (systemClock.now() < end) {
    signal.throwIfAborted();
    const image = answer.safeParse(await getJson(place, `/api/v1/images/${digest}`));
    if (!image.success) throw failed('the API answered in a way that is not understood', image.error);
    const { scan } = image.data;
    if (scan.status === 'finished' && scan.advisories !== null) {
      return toReport(image.data, scan.advisories, `${registryAddress}/${SAMPLE_NAME}`);
    }
    if (scan.status === 'failed' || scan.status === 'unscannable') {
      throw failed(scan.error?.message ?? scan.reason ?? `the scan ended as ${scan.status}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw failed(`the scan did not end within ${PATIENCE_MS / 1000} seconds`);
}

async function getJson(
  { apiUrl, credential, signal }: { readonly apiUrl: string } & Place,
  path: string,
): Promise<unknown> {
  const { username, password } = credential;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const url = new URL(path, apiUrl);
  const response = await httpSend({ url, headers: { authorization }, signal });
  const body = await readBody(response, 8 * MiB, url.host);
  if (response.status !== 200) throw failed(`${path} answered with status ${response.status}`);
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    throw failed(describeError(error), error);
  }
}

const nullableText = z.string().nullable();
const advisories = z.object({
  kind: z.enum(['file', 'starter']),
  digest: z.string(),
  builtAt: z.string(),
  ageHours: z.number(),
  advisories: z.number(),
  notices: z.array(z.string()),
});
/** What is used of `GET /api/v1/images/<digest>`. */
const answer = z.object({
  digest: z.string(),
  mediaType: z.string(),
  platform: nullableText,
  created: nullableText,
  distribution: z.object({ id: z.string(), versionId: nullableText, prettyName: z.string() }).nullable(),
  scan: z.object({
    status: z.enum(['pending', 'running', 'finished', 'failed', 'unscannable']),
    finishedAt: nullableText,
    error: z.object({ message: z.string() }).nullable(),
    reason: nullableText,
    advisories: advisories.nullable(),
  }),
  layers: z.array(
    z.object({
      index: z.number(),
      digest: z.string(),
      diffId: z.string(),
      mediaType: z.string(),
      size: z.number(),
      instruction: nullableText,
      cached: z.boolean(),
    }),
  ),
  problems: z.array(
    z.object({ code: z.string(), message: z.string(), layer: z.number().nullable(), path: nullableText }),
  ),
  packages: z.array(
    z.object({
      kind: z.enum(PACKAGE_KINDS),
      name: z.string(),
      version: z.string(),
      source: z.object({ name: z.string(), version: z.string() }).optional(),
      purl: z.string(),
      layer: z.number(),
      path: z.string(),
    }),
  ),
  findings: z.array(
    z.object({
      id: z.string(),
      advisory: z.string(),
      aliases: z.array(z.string()),
      purl: z.string(),
      kind: z.enum(PACKAGE_KINDS),
      package: z.string(),
      installed: z.string(),
      fixed: nullableText,
      fixState: z.enum(['fixed', 'not-fixed', 'will-not-fix', 'unknown']),
      severity: z.enum(SEVERITIES),
      severitySource: z.string(),
      cvssScore: z.number().nullable(),
      cvssVector: nullableText,
      epss: z.number().nullable(),
      exploited: z.boolean(),
      title: z.string(),
      range: z.string(),
      layer: z.number(),
      layerDigest: nullableText,
      path: z.string(),
      state: z.enum(['open', 'fixed', 'exempt']),
    }),
  ),
});

function toReport(
  image: z.infer<typeof answer>,
  used: z.infer<typeof advisories>,
  target: string,
): ScanReport {
  const { digest, mediaType, platform, created, layers, distribution, findings, problems } = image;
  return {
    schemaVersion: 1,
    target,
    status: 'finished',
    reason: null,
    image: { digest, mediaType, platform, created, layers },
    distribution,
    packages: image.packages.map(({ source, ...rest }) => ({ ...rest, ...(source ? { source } : {}) })),
    findings,
    problems,
    advisories: used,
    scannedAt: image.scan.finishedAt ?? new Date(systemClock.now()).toISOString(),
  };
}

function failed(reason: string, cause?: unknown): Error {
  return cliErrors.create('CLI_SAMPLE_FAILED', { reason }, cause);
}
