// Whatever a client puts into an entry can be stored, and stays within limits.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEntry, recordSchema } from './audit-entry.ts';

describe('encodeEntry', () => {
  it('makes storable text of anything', () => {
    const text = fc.string({ unit: 'binary', maxLength: 3_000 });
    fc.assert(
      fc.property(text, text, fc.dictionary(fc.string(), fc.jsonValue()), (target, actor, detail) => {
        const entry = encodeEntry(
          { action: 'manifest.pull', actor, target, result: 'denied', address: null, detail },
          0,
        );
        expect(recordSchema.parse(JSON.parse(JSON.stringify(entry)))).toEqual(entry);
        expect(entry.target.length).toBeLessThanOrEqual(1_024);
        expect(entry.target.isWellFormed() && !entry.target.includes('\0')).toBe(true);
        expect(entry.detail?.length).toBeLessThanOrEqual(16 * 1_024);
      }),
    );
  });

  it('replaces a lone half of a character and a zero byte', () => {
    const entry = encodeEntry(
      { action: 'a\0b', actor: 'x\ud800y', target: 't', result: 'success', address: '::1' },
      1_700_000_000_123,
    );
    expect(entry).toEqual({
      at: '2023-11-14T22:13:20.123Z',
      action: 'a\u{fffd}b',
      actor: 'x\u{fffd}y',
      target: 't',
      result: 'success',
      address: '::1',
      detail: null,
    });
  });

  it('says so when a detail is too long or no JSON', () => {
    const base = { action: 'a', actor: 'b', target: 'c', result: 'success', address: null } as const;
    const long = encodeEntry({ ...base, detail: { text: 'x'.repeat(20_000) } }, 0);
    expect(JSON.parse(long.detail ?? '')).toHaveProperty('omitted');
    const unfit = encodeEntry({ ...base, detail: { number: 1n } }, 0);
    expect(JSON.parse(unfit.detail ?? '')).toHaveProperty('omitted');
  });
});
