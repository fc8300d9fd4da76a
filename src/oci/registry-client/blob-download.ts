// Downloads a blob and takes up an interrupted download where it stopped (OCI distribution-spec "Pulling blobs", RFC 9110 Range).
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { BreakwaterError, describeError, type HttpResponse, MiB } from '../../core/index.ts';
import { ociErrors } from '../errors.ts';
import { verifiedStream } from '../sources/verified-stream.ts';
import type { Descriptor } from '../types.ts';
import type { RegistryTransport } from './transport.ts';

const MAX_FAILURES = 5;
/** So much progress and earlier failures are forgiven: a large blob over a bad line is worth finishing. */
const FORGIVING_BYTES = 4 * MiB;

/**
 * The blob's bytes, verified. Broken connections are taken up again with Range requests, a bounded number of times
 * without progress. The stream fails with `OCI_REGISTRY_UNREACHABLE` and what `RegistryTransport.send` throws.
 */
export function downloadBlob(
  transport: RegistryTransport,
  repository: string,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  signal?: AbortSignal,
): Readable {
  const source = Readable.from(pieces(transport, repository, descriptor, signal), {
    objectMode: false,
    highWaterMark: MiB,
  });
  return verifiedStream(source, descriptor);
}

async function* pieces(
  transport: RegistryTransport,
  repository: string,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const { digest, size } = descriptor;
  let offset = 0;
  let forgivenAt = 0;
  for (let failures = 0; ; ) {
    let reason = 'the connection ended early';
    const { response, skip } = await requestFrom(transport, repository, digest, offset, signal);
    let toSkip = skip;
    try {
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        const fresh = toSkip >= chunk.length ? undefined : chunk.subarray(toSkip);
        toSkip -= Math.min(toSkip, chunk.length);
        if (fresh === undefined) continue;
        offset += fresh.length;
        yield fresh;
      }
    } catch (error) {
      if (error instanceof BreakwaterError) throw error;
      reason = describeError(error);
    } finally {
      response.body.destroy();
    }
    if (offset >= size) return;
    if (signal?.aborted) throw ociErrors.create('OCI_ABORTED', {}, signal.reason);
    if (offset - forgivenAt >= FORGIVING_BYTES) {
      failures = 0;
      forgivenAt = offset;
    }
    if (++failures > MAX_FAILURES) {
      throw ociErrors.create('OCI_REGISTRY_UNREACHABLE', { host: transport.host, reason });
    }
    await sleep(100 * 2 ** failures, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      throw ociErrors.create('OCI_ABORTED', {}, error);
    });
  }
}

/** Asks for the bytes from `offset`; a registry that sends all of them instead has the first ones skipped. */
async function requestFrom(
  transport: RegistryTransport,
  repository: string,
  digest: string,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<{ response: HttpResponse; skip: number }> {
  const response = await transport.send({
    url: `/v2/${repository}/blobs/${digest}`,
    scopes: [`repository:${repository}:pull`],
    headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
    ...(signal ? { signal } : {}),
  });
  if (response.status === 200) return { response, skip: offset };
  const start = /^bytes (\d{1,16})-/.exec(response.headers['content-range'] ?? '')?.[1];
  if (response.status === 206 && Number(start) === offset) return { response, skip: 0 };
  throw await transport.failure(response, `blob ${digest} of ${repository}`);
}
