// Content descriptors (OCI image-spec descriptor.md) read from foreign JSON.
import { parseDigest } from './digest.ts';
import { isJsonObject, type JsonObject, stringAt } from './json-document.ts';
import type { Descriptor, Platform } from './types.ts';

const MAX_ANNOTATIONS = 10_000;
const MAX_ANNOTATION_KEY = 4_096;
const MAX_URLS = 100;
const MAX_MEDIA_TYPE = 255;
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*$/;

/** Thrown inside this folder only: the parsers turn it into their own coded error. */
export class InvalidDocument extends Error {}

/** Is it a media type as RFC 6838 section 4.2 writes them, without parameters, at most 255 characters? */
export function isMediaType(text: string): boolean {
  return text.length <= MAX_MEDIA_TYPE && MEDIA_TYPE.test(text);
}

/** Reads a descriptor; `where` names it in the message of the `InvalidDocument` it throws. */
export function readDescriptor(value: unknown, where: string): Descriptor {
  if (!isJsonObject(value)) throw new InvalidDocument(`${where} is not an object`);
  const mediaType = stringAt(value, 'mediaType');
  if (mediaType === undefined || !isMediaType(mediaType)) {
    throw new InvalidDocument(`${where} has no valid mediaType`);
  }
  const digest = parseDigest(value['digest']);
  if (digest === undefined) throw new InvalidDocument(`${where} has no valid digest (sha256 or sha512)`);
  const size = value['size'];
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new InvalidDocument(`${where} has no valid size`);
  }
  const annotations = readAnnotations(value, where);
  const artifactType = readArtifactType(value, where);
  const platform = readPlatform(value['platform'], where);
  const urls = readUrls(value['urls'], where);
  return {
    mediaType,
    digest,
    size,
    ...(annotations ? { annotations } : {}),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(platform ? { platform } : {}),
    ...(urls ? { urls } : {}),
  };
}

/** Reads a list of descriptors; a missing list is undefined, `null` is an empty one (Go writes it so). */
export function readDescriptors(value: unknown, where: string, limit: number): Descriptor[] | undefined {
  if (value === undefined) return undefined;
  if (value === null) return [];
  if (!Array.isArray(value)) throw new InvalidDocument(`${where} is not a list`);
  if (value.length > limit)
    throw new InvalidDocument(`${where} has ${value.length} entries, more than ${limit}`);
  return value.map((entry: unknown, index) => readDescriptor(entry, `${where}[${index}]`));
}

/** Reads `annotations` of an object: a map of strings. */
export function readAnnotations(object: JsonObject, where: string): Record<string, string> | undefined {
  const value = object['annotations'];
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw new InvalidDocument(`${where} has annotations that are not an object`);
  const pairs = Object.entries(value);
  if (pairs.length > MAX_ANNOTATIONS) {
    throw new InvalidDocument(`${where} has more than ${MAX_ANNOTATIONS} annotations`);
  }
  const strings: [string, string][] = [];
  for (const [key, text] of pairs) {
    if (key.length > MAX_ANNOTATION_KEY) {
      throw new InvalidDocument(`${where} has an annotation key of ${key.length} characters`);
    }
    if (typeof text !== 'string')
      throw new InvalidDocument(`${where} has an annotation that is not a string`);
    strings.push([key, text]);
  }
  return Object.fromEntries(strings);
}

/** Reads `artifactType`: a media type, or undefined when it is missing or empty. */
export function readArtifactType(object: JsonObject, where: string): string | undefined {
  const value = object['artifactType'];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || !isMediaType(value)) {
    throw new InvalidDocument(`${where} has an artifactType that is not a media type`);
  }
  return value;
}

function readPlatform(value: unknown, where: string): Platform | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw new InvalidDocument(`${where} has a platform that is not an object`);
  const variant = stringAt(value, 'variant');
  const osVersion = stringAt(value, 'os.version');
  return {
    os: stringAt(value, 'os') ?? 'unknown',
    architecture: stringAt(value, 'architecture') ?? 'unknown',
    ...(variant === undefined || variant === '' ? {} : { variant }),
    ...(osVersion === undefined || osVersion === '' ? {} : { 'os.version': osVersion }),
  };
}

function readUrls(value: unknown, where: string): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || value.length > MAX_URLS) {
    throw new InvalidDocument(`${where} has urls that are not a list of at most ${MAX_URLS}`);
  }
  return value.map((url: unknown) => {
    if (typeof url !== 'string') throw new InvalidDocument(`${where} has a url that is not a string`);
    return url;
  });
}
