// The cache: one fill per key, bounded, and never a value older than an invalidation.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoherentCache } from './cache.ts';

function makeCache(maxBytes = 100_000): CoherentCache<string> {
  return new CoherentCache<string>({ maxBytes, weigh: (value) => value.length });
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  return Promise.withResolvers<T>();
}

describe('CoherentCache', () => {
  it('fills once for all who ask at the same time', async () => {
    const cache = makeCache();
    let fills = 0;
    const load = async (): Promise<string> => {
      fills++;
      await Promise.resolve();
      return 'value';
    };
    expect(await Promise.all([cache.get('k', load), cache.get('k', load), cache.get('k', load)])).toEqual([
      'value',
      'value',
      'value',
    ]);
    expect(await cache.get('k', load)).toBe('value');
    expect(fills).toBe(1);
  });

  it('does not keep a value whose fill began before an invalidation', async () => {
    const cache = makeCache();
    const slow = deferred<string>();
    const early = cache.get('tag', () => slow.promise);
    cache.invalidate('tag');
    // Whoever asks after the invalidation gets a fill of their own, not the running one.
    const late = cache.get('tag', () => Promise.resolve('new'));
    slow.resolve('old');
    expect(await early).toBe('old');
    expect(await late).toBe('new');
    expect(cache.peek('tag')).toBe('new');
  });

  it('does not keep a fill that "forget everything" has overtaken', async () => {
    const cache = makeCache();
    const slow = deferred<string>();
    const early = cache.get('tag', () => slow.promise);
    cache.invalidateAll();
    slow.resolve('old');
    await early;
    expect(cache.peek('tag')).toBeUndefined();
    expect(cache.bytes).toBe(0);
  });

  it('keeps neither absence nor failure', async () => {
    const cache = makeCache();
    expect(await cache.get('k', () => Promise.resolve(undefined))).toBeUndefined();
    await expect(cache.get('k', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await cache.get('k', () => Promise.resolve('there'))).toBe('there');
  });

  it('seeds only when nothing was invalidated since the mark', () => {
    const cache = makeCache();
    const mark = cache.mark();
    cache.seed(mark, 'a', '1');
    expect(cache.peek('a')).toBe('1');
    cache.invalidate('other');
    cache.seed(mark, 'b', '2');
    expect(cache.peek('b')).toBeUndefined();
    cache.seed(cache.mark(), 'a', 'newer');
    expect(cache.peek('a')).toBe('1');
  });

  it('pushes out what was used longest ago', async () => {
    const cache = makeCache(3_600);
    for (const key of ['a', 'b', 'c', 'd']) await cache.get(key, () => Promise.resolve('x'.repeat(700)));
    cache.peek('a');
    await cache.get('e', () => Promise.resolve('x'.repeat(700)));
    expect(cache.peek('b')).toBeUndefined();
    expect(cache.peek('a')).toBeDefined();
  });

  it('does not keep what would take a quarter of it', async () => {
    const cache = makeCache(4_000);
    await cache.get('big', () => Promise.resolve('x'.repeat(2_000)));
    expect(cache.size).toBe(0);
  });

  it('never exceeds its bound and never gives back an invalidated value', async () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('get' as const),
        key: fc.constantFrom('a', 'b', 'c', 'd'),
        size: fc.nat(800),
      }),
      fc.record({ do: fc.constant('invalidate' as const), key: fc.constantFrom('a', 'b', 'c', 'd') }),
      fc.record({ do: fc.constant('all' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const cache = makeCache(3_000);
        const version = new Map<string, number>();
        for (const action of steps) {
          if (action.do === 'get') {
            const now = version.get(action.key) ?? 0;
            const value = await cache.get(action.key, () =>
              Promise.resolve(`${now}:${'x'.repeat(action.size)}`),
            );
            expect(value?.split(':')[0]).toBe(String(now));
          } else if (action.do === 'invalidate') {
            version.set(action.key, (version.get(action.key) ?? 0) + 1);
            cache.invalidate(action.key);
          } else {
            for (const key of ['a', 'b', 'c', 'd']) version.set(key, (version.get(key) ?? 0) + 1);
            cache.invalidateAll();
          }
          expect(cache.bytes).toBeLessThanOrEqual(3_000);
        }
      }),
    );
  });
});
