// The watch on slow transfers, window by window.
import { afterEach, describe, expect, it } from 'vitest';
import { TransferWatch } from './transfer-watch.ts';

describe('TransferWatch', () => {
  let watch: TransferWatch;
  afterEach(() => watch.close());

  function transfer(): { moved: number; stopped: boolean; end: () => void } {
    const state = { moved: 0, stopped: false, end: (): void => undefined };
    state.end = watch.add({ moved: () => state.moved, stop: () => (state.stopped = true) });
    return state;
  }

  it('ends a transfer that moves too little in a whole window, and no other', () => {
    watch = new TransferWatch(3_600_000, 1_000);
    const slow = transfer();
    const fast = transfer();
    watch.inspect();
    expect(slow.stopped).toBe(false);
    slow.moved += 999;
    fast.moved += 1_000;
    watch.inspect();
    expect([slow.stopped, fast.stopped]).toEqual([true, false]);
    expect(watch.stopped).toBe(1);
    fast.moved += 1_000;
    watch.inspect();
    expect(fast.stopped).toBe(false);
  });

  it('leaves alone what began within the window or has ended', () => {
    watch = new TransferWatch(3_600_000, 1_000);
    const ended = transfer();
    ended.end();
    const young = transfer();
    watch.inspect();
    expect(watch.active).toBe(1);
    expect([ended.stopped, young.stopped]).toEqual([false, false]);
  });
});
