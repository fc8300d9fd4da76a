// The configuration of a container image (OCI image-spec config.md; Docker's is the same where it matters here).
import { MAX_MANIFEST_BYTES } from '../core/index.ts';
import { InvalidDocument } from './descriptor.ts';
import { parseDigest } from './digest.ts';
import { ociErrors } from './errors.ts';
import { isJsonObject, type JsonObject, parseJsonObject, stringAt } from './json-document.ts';
import type { Digest, HistoryEntry, ImageConfig } from './types.ts';

/** Largest image configuration read, in bytes. */
export const MAX_CONFIG_BYTES = MAX_MANIFEST_BYTES;

const MAX_DIFF_IDS = 10_000;
const MAX_HISTORY = 20_000;

/** Reads an image configuration. Throws `OCI_CONFIG_INVALID` for anything that is none. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  try {
    return readConfig(bytes);
  } catch (error) {
    if (error instanceof InvalidDocument)
      throw ociErrors.create('OCI_CONFIG_INVALID', { reason: error.message });
    throw error;
  }
}

function readConfig(bytes: Uint8Array): ImageConfig {
  if (bytes.length > MAX_CONFIG_BYTES)
    throw new InvalidDocument(`it has more than ${MAX_CONFIG_BYTES} bytes`);
  const document = parseJsonObject(bytes);
  if (typeof document === 'string') throw new InvalidDocument(document);
  const variant = stringAt(document, 'variant');
  const created = stringAt(document, 'created');
  return {
    architecture: stringAt(document, 'architecture') ?? 'unknown',
    os: stringAt(document, 'os') ?? 'unknown',
    ...(variant === undefined || variant === '' ? {} : { variant }),
    ...(created === undefined ? {} : { created }),
    diffIds: readDiffIds(document),
    history: readHistory(document['history']),
  };
}

function readDiffIds(document: JsonObject): Digest[] {
  const rootfs = document['rootfs'];
  if (!isJsonObject(rootfs)) throw new InvalidDocument('rootfs is missing');
  const diffIds = rootfs['diff_ids'] ?? [];
  if (!Array.isArray(diffIds)) throw new InvalidDocument('rootfs.diff_ids is not a list');
  if (diffIds.length > MAX_DIFF_IDS)
    throw new InvalidDocument(`rootfs.diff_ids has ${diffIds.length} entries`);
  return diffIds.map((value: unknown, index) => {
    const digest = parseDigest(value);
    if (digest === undefined) throw new InvalidDocument(`rootfs.diff_ids[${index}] is not a digest`);
    return digest;
  });
}

function readHistory(value: unknown): HistoryEntry[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new InvalidDocument('history is not a list');
  if (value.length > MAX_HISTORY) throw new InvalidDocument(`history has ${value.length} entries`);
  return value.map((entry: unknown, index) => {
    if (!isJsonObject(entry)) throw new InvalidDocument(`history[${index}] is not an object`);
    const createdBy = stringAt(entry, 'created_by');
    const comment = stringAt(entry, 'comment');
    return {
      ...(createdBy === undefined ? {} : { createdBy }),
      ...(comment === undefined ? {} : { comment }),
      emptyLayer: entry['empty_layer'] === true,
    };
  });
}
