// A blob's bytes, checked against its descriptor while they pass (OCI image-spec descriptor.md "Verification").
import { Transform, type Readable, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream';
import { MiB } from '../../core/index.ts';
import { DigestHasher, digestAlgorithm } from '../digest.ts';
import { ociErrors } from '../errors.ts';
import type { Descriptor } from '../types.ts';

class Verification extends Transform {
  readonly #descriptor: Pick<Descriptor, 'digest' | 'size'>;
  readonly #hasher: DigestHasher;

  constructor(descriptor: Pick<Descriptor, 'digest' | 'size'>) {
    super({ readableHighWaterMark: MiB, writableHighWaterMark: MiB });
    this.#descriptor = descriptor;
    this.#hasher = new DigestHasher(digestAlgorithm(descriptor.digest));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hasher.update(chunk);
    if (this.#hasher.size > this.#descriptor.size) done(this.#sizeMismatch('more'));
    else done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const { digest: expected, size } = this.#descriptor;
    if (this.#hasher.size !== size) {
      done(this.#sizeMismatch(this.#hasher.size));
      return;
    }
    const actual = this.#hasher.digest();
    done(actual === expected ? null : ociErrors.create('OCI_DIGEST_MISMATCH', { expected, actual }));
  }

  #sizeMismatch(actual: number | string): Error {
    const { digest, size: expected } = this.#descriptor;
    return ociErrors.create('OCI_SIZE_MISMATCH', { digest, expected, actual });
  }
}

/**
 * Passes the source's bytes on and fails with `OCI_SIZE_MISMATCH` or `OCI_DIGEST_MISMATCH` instead of ending when they
 * are not the ones the descriptor names. A failure of the source, or destroying the result, reaches the other side.
 */
export function verifiedStream(source: Readable, descriptor: Pick<Descriptor, 'digest' | 'size'>): Readable {
  const verification = new Verification(descriptor);
  // The error reaches the reader through the destroyed stream itself.
  pipeline(source, verification, () => {});
  return verification;
}
