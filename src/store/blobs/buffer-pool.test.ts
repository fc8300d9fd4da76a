// The memory budget of downloads holds whatever is asked for, and a few holders cannot take it all.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KiB, MiB } from '../../core/index.ts';
import { BufferPool } from './buffer-pool.ts';

describe('BufferPool', () => {
  it('gives a buffer that fits small objects and a large one to large objects', () => {
    const pool = new BufferPool();
    expect(pool.acquire(1).length).toBe(32 * KiB);
    expect(pool.acquire(32 * KiB + 1).length).toBe(64 * KiB);
    expect(pool.acquire(900 * MiB).length).toBe(512 * KiB);
  });

  it('reuses what was released and never what was discarded', () => {
    const pool = new BufferPool();
    const released = pool.acquire(MiB);
    pool.release(released);
    expect(pool.acquire(MiB)).toBe(released);
    const discarded = pool.acquire(MiB);
    pool.discard(discarded);
    expect(pool.acquire(MiB)).not.toBe(discarded);
  });

  it('stays within its budget with 200 stalled downloads and still serves the next', () => {
    const pool = new BufferPool(48 * MiB);
    for (let download = 0; download < 200; download++) {
      pool.acquire(100 * MiB);
      if (!pool.scarce) pool.acquire(100 * MiB);
    }
    expect(pool.taken).toBeLessThanOrEqual(48 * MiB + 200 * 32 * KiB);
    expect(pool.acquire(MiB).length).toBeGreaterThanOrEqual(32 * KiB);
  });

  it('counts exactly what is out', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 * MiB }), { maxLength: 60 }), (sizes) => {
        const pool = new BufferPool(4 * MiB);
        const out = sizes.map((size) => pool.acquire(size));
        expect(new Set(out).size).toBe(out.length);
        expect(pool.taken).toBe(out.reduce((sum, buffer) => sum + buffer.length, 0));
        for (const buffer of out) pool.release(buffer);
        expect(pool.taken).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});
