// The range grammars: examples, refusals, and that no range ever leaves its body.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseContentRange, parseOffset, parseRange, uploadRange } from './ranges.ts';

describe('parseRange', () => {
  it.each([
    ['bytes=0-9', 0, 9],
    ['bytes=5-', 5, 99],
    ['bytes=-10', 90, 99],
    ['bytes=-1000', 0, 99],
    ['bytes=90-1000', 90, 99],
    ['BYTES = 1-1', 1, 1],
  ])('reads %s of 100 bytes', (header, start, end) => {
    expect(parseRange(header, 100)).toEqual({ kind: 'part', start, end });
  });

  it.each(['bytes=100-', 'bytes=100-200', 'bytes=-0'])('cannot satisfy %s of 100 bytes', (header) => {
    expect(parseRange(header, 100)).toEqual({ kind: 'unsatisfiable' });
  });

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=9-5',
    'bytes=a-b',
    'bytes=0-1,5-6',
    'lines=0-1',
    'bytes=0-99999999999999999999',
  ])('takes %s as the whole', (header) => {
    expect(parseRange(header, 100)).toEqual({ kind: 'whole' });
  });

  it('of nothing is unsatisfiable, never a part', () => {
    expect(parseRange('bytes=0-0', 0)).toEqual({ kind: 'unsatisfiable' });
    expect(parseRange('bytes=-5', 0)).toEqual({ kind: 'unsatisfiable' });
  });

  it('always stays inside the body', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc
            .tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.bigInt({ min: 0n, max: 10n ** 20n }))
            .map(([a, b]) => `bytes=${a}-${b}`),
          fc.nat().map((suffix) => `bytes=-${suffix}`),
        ),
        fc.nat(),
        (header, size) => {
          const range = parseRange(header, size);
          if (range.kind !== 'part') return;
          expect(range.start).toBeGreaterThanOrEqual(0);
          expect(range.end).toBeGreaterThanOrEqual(range.start);
          expect(range.end).toBeLessThan(size);
        },
      ),
    );
  });
});

describe('parseContentRange', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(), (start, length) => {
        const end = Math.min(Number.MAX_SAFE_INTEGER, start + length);
        expect(parseContentRange(`${start}-${end}`)).toEqual({ start, end });
      }),
    );
  });

  it.each([
    '',
    '-',
    '0',
    '0-',
    '-5',
    '5-4',
    '0-1-2',
    ' 0-1',
    '0x0-1',
    '+0-1',
    '1e3-2e3',
    'bytes 0-1',
    '99999999999999999-1',
  ])('refuses "%s"', (header) => {
    expect(parseContentRange(header)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (header) => void parseContentRange(header)));
  });
});

describe('parseOffset', () => {
  it('takes safe integers only', () => {
    expect(parseOffset('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseOffset('9007199254740992')).toBeUndefined();
    expect(parseOffset('')).toBeUndefined();
    expect(parseOffset('１')).toBeUndefined();
  });
});

describe('uploadRange', () => {
  it('is 0-0 for an empty upload and inclusive after', () => {
    expect([0, 1, 2, 100].map(uploadRange)).toEqual(['0-0', '0-0', '0-1', '0-99']);
  });
});
