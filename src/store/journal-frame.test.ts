// Frames survive the round trip; damaged bytes never throw, never make up a record, and reading goes on behind them.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, findFrame, MAX_FRAME_BYTES, parseFrame, type JournalFrame } from './journal-frame.ts';

const frames = fc.array(
  fc.record({
    sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    kind: fc.string({ maxLength: 20 }),
    record: fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  }),
  { minLength: 1, maxLength: 12 },
);

/** Everything that reads as a frame, passing over damage like the importer does. */
function readAll(bytes: Buffer): JournalFrame[] {
  const found: JournalFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const parsed = parseFrame(bytes, at);
    if (parsed.status === 'frame') {
      found.push(parsed.frame);
      at = parsed.next;
    } else {
      const next = findFrame(bytes, at + 1);
      if (next === undefined) break;
      at = next;
    }
  }
  return found;
}

const plain = (list: readonly unknown[]): unknown => JSON.parse(JSON.stringify(list));

describe('journal frames', () => {
  it('read back as they were written', () => {
    fc.assert(
      fc.property(frames, (written) => {
        expect(readAll(Buffer.concat(written.map(encodeFrame)))).toEqual(plain(written));
      }),
    );
  });

  it('lose only what a cut takes', () => {
    fc.assert(
      fc.property(frames, fc.nat(), (written, cut) => {
        const bytes = Buffer.concat(written.map(encodeFrame));
        const kept = readAll(bytes.subarray(0, cut % bytes.length));
        expect(kept).toEqual(plain(written.slice(0, kept.length)));
        expect(kept.length).toBeLessThan(written.length);
      }),
    );
  });

  it('lose at most the frame that a flipped bit is in', () => {
    fc.assert(
      fc.property(frames, fc.nat(), fc.integer({ min: 0, max: 7 }), (written, where, bit) => {
        const encoded = written.map(encodeFrame);
        const bytes = Buffer.concat(encoded);
        const at = where % bytes.length;
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        let end = 0;
        const hit = encoded.findIndex((frame) => (end += frame.length) > at);
        expect(readAll(bytes)).toEqual(plain(written.filter((_frame, index) => index !== hit)));
      }),
    );
  });

  it('are not found in random bytes, whatever those are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000 }), (bytes) => {
        expect(readAll(Buffer.concat([Buffer.from([0xb7, 0x4a, 0x52, 0x4e]), bytes]))).toEqual([]);
      }),
    );
  });

  it('refuse a record that is too large', () => {
    const record = { text: 'x'.repeat(MAX_FRAME_BYTES) };
    expect(() => encodeFrame({ sequence: 1, kind: 'k', record })).toThrow(
      expect.objectContaining({ code: 'STORE_JOURNAL_RECORD_TOO_LARGE' }),
    );
  });
});
