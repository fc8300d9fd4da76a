// Digests: grammar, computation, streams.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DigestHasher,
  DigestStream,
  digestAlgorithm,
  digestHex,
  digestOf,
  parseDigest,
  requireDigest,
  verifyContent,
  verifyDigest,
} from './digest.ts';

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('digests', () => {
  it('are sha256 or sha512 in canonical form, nothing else', () => {
    expect(parseDigest(EMPTY)).toBe(EMPTY);
    const long = `sha512:${'0a'.repeat(64)}`;
    expect(parseDigest(long)).toBe(long);
    for (const bad of [
      '',
      'sha256:',
      EMPTY.toUpperCase(),
      EMPTY.slice(0, -1),
      `${EMPTY}0`,
      `${EMPTY}\n`,
      ` ${EMPTY}`,
      EMPTY.replace('sha256', 'sha512'),
      EMPTY.replace('sha256', 'md5'),
      `sha256:../../../../etc/passwd${'0'.repeat(41)}`,
      42,
      null,
      undefined,
    ]) {
      expect(parseDigest(bad)).toBeUndefined();
    }
    expect(() => requireDigest('nonsense')).toThrow(expect.objectContaining({ code: 'OCI_DIGEST_INVALID' }));
  });

  it('are computed at once, in pieces, and in a stream to the same value', async () => {
    expect(digestOf('')).toBe(EMPTY);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 8 }),
        fc.constantFrom('sha256' as const, 'sha512' as const),
        async (pieces, algorithm) => {
          const whole = Buffer.concat(pieces);
          const hasher = new DigestHasher(algorithm);
          for (const piece of pieces) hasher.update(piece);
          const stream = new DigestStream(algorithm);
          const passed: Buffer[] = [];
          await pipeline(Readable.from(pieces.map((piece) => Buffer.from(piece))), stream, async (source) => {
            for await (const chunk of source) passed.push(chunk as Buffer);
          });
          const digest = digestOf(whole, algorithm);
          expect(hasher.size).toBe(whole.length);
          expect([hasher.digest(), stream.digest, stream.size]).toEqual([digest, digest, whole.length]);
          expect(Buffer.concat(passed).equals(whole)).toBe(true);
          expect([digestAlgorithm(digest), `${algorithm}:${digestHex(digest)}`]).toEqual([algorithm, digest]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('are verified with size', () => {
    const bytes = Buffer.from('content');
    const descriptor = { digest: digestOf(bytes), size: bytes.length };
    expect(() => verifyContent(descriptor, bytes)).not.toThrow();
    expect(() => verifyContent(descriptor, bytes.subarray(1))).toThrow(/has 6 bytes instead of 7/);
    expect(() => verifyDigest(descriptor.digest, Buffer.from('CONTENT'))).toThrow(/has digest sha256/);
  });
});
