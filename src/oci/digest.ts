// Content digests (OCI image-spec descriptor.md, section "Digests"): parse, compute, compare.
import { createHash, type Hash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { ociErrors } from './errors.ts';
import type { Descriptor, Digest } from './types.ts';

export type DigestAlgorithm = 'sha256' | 'sha512';

const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Is it a digest of a registered algorithm, in its canonical form? */
export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** The text as a digest, or undefined when it is none. Never throws. */
export function parseDigest(text: unknown): Digest | undefined {
  return typeof text === 'string' && isDigest(text) ? text : undefined;
}

/** The text as a digest. Throws `OCI_DIGEST_INVALID`. */
export function requireDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw ociErrors.create('OCI_DIGEST_INVALID', { digest: text.slice(0, 160) });
}

/** The algorithm of a digest. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The hexadecimal part of a digest: safe as a file name. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** Digest of bytes in memory. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return asDigest(algorithm, createHash(algorithm).update(bytes).digest('hex'));
}

/** Digests are public: an ordinary comparison is enough. */
export function sameDigest(left: Digest, right: Digest): boolean {
  return left === right;
}

/** Computes a digest piece by piece and counts the bytes. */
export class DigestHasher {
  readonly algorithm: DigestAlgorithm;
  readonly #hash: Hash;
  #size = 0;

  constructor(algorithm: DigestAlgorithm = 'sha256') {
    this.algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  /** Bytes given so far. */
  get size(): number {
    return this.#size;
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  /** The digest of everything given. Ends the computation: call it once. */
  digest(): Digest {
    return asDigest(this.algorithm, this.#hash.digest('hex'));
  }
}

/** Passes bytes through unchanged while computing their digest; read `digest` and `size` after its end. */
export class DigestStream extends Transform {
  readonly #hasher: DigestHasher;
  #digest: Digest | null = null;

  constructor(algorithm: DigestAlgorithm = 'sha256') {
    super({ readableHighWaterMark: 1 << 20, writableHighWaterMark: 1 << 20 });
    this.#hasher = new DigestHasher(algorithm);
  }

  get size(): number {
    return this.#hasher.size;
  }

  /** Null until all bytes have passed. */
  get digest(): Digest | null {
    return this.#digest;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hasher.update(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    this.#digest = this.#hasher.digest();
    done();
  }
}

/** Throws `OCI_SIZE_MISMATCH` or `OCI_DIGEST_MISMATCH` when the bytes are not the ones the descriptor names. */
export function verifyContent(descriptor: Pick<Descriptor, 'digest' | 'size'>, bytes: Uint8Array): void {
  if (bytes.length !== descriptor.size) {
    throw ociErrors.create('OCI_SIZE_MISMATCH', {
      digest: descriptor.digest,
      expected: descriptor.size,
      actual: bytes.length,
    });
  }
  verifyDigest(descriptor.digest, bytes);
}

/** Throws `OCI_DIGEST_MISMATCH` when the bytes do not have this digest. */
export function verifyDigest(digest: Digest, bytes: Uint8Array): void {
  const actual = digestOf(bytes, digestAlgorithm(digest));
  if (!sameDigest(actual, digest)) {
    throw ociErrors.create('OCI_DIGEST_MISMATCH', { expected: digest, actual });
  }
}

function asDigest(algorithm: DigestAlgorithm, hex: string): Digest {
  const text = `${algorithm}:${hex}`;
  if (hex.length === HEX_LENGTH[algorithm] && isDigest(text)) return text;
  throw ociErrors.create('OCI_DIGEST_INVALID', { digest: text });
}
