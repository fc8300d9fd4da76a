// Tests of the slowing down of failed logins.
import { describe, expect, it } from 'vitest';
import { LoginThrottle, throttleKey } from './login-throttle.ts';

function at(start: number) {
  const state = { time: start };
  return { state, clock: { now: () => state.time } };
}

describe('LoginThrottle', () => {
  it('lets a burst of failures through, then asks to wait, then lets one more', () => {
    const { state, clock } = at(1_000_000);
    const throttle = new LoginThrottle(clock, { burst: 3, refillSeconds: 10 });
    for (let i = 0; i < 3; i++) {
      expect(throttle.retryAfterSeconds('192.0.2.1')).toBe(0);
      throttle.failed('192.0.2.1');
    }
    expect(throttle.retryAfterSeconds('192.0.2.1')).toBe(10);
    expect(throttle.retryAfterSeconds('192.0.2.2')).toBe(0);
    state.time += 4_000;
    expect(throttle.retryAfterSeconds('192.0.2.1')).toBe(6);
    state.time += 6_000;
    expect(throttle.retryAfterSeconds('192.0.2.1')).toBe(0);
    throttle.failed('192.0.2.1');
    expect(throttle.retryAfterSeconds('192.0.2.1')).toBe(10);
  });

  it('never saves up more than the burst, and a clock that goes back gives nothing', () => {
    const { state, clock } = at(1_000_000);
    const throttle = new LoginThrottle(clock, { burst: 2, refillSeconds: 1 });
    throttle.failed('a');
    state.time += 3_600_000;
    throttle.failed('a');
    throttle.failed('a');
    expect(throttle.retryAfterSeconds('a')).toBe(1);
    state.time -= 1_800_000;
    expect(throttle.retryAfterSeconds('a')).toBe(1);
  });

  it('remembers a bounded number of addresses', () => {
    const { clock } = at(0);
    const throttle = new LoginThrottle(clock, { burst: 1, maxKeys: 100 });
    for (let i = 0; i < 1_000; i++) throttle.failed(`10.0.${i >> 8}.${i & 255}`);
    expect(throttle.size).toBe(100);
    expect(throttle.retryAfterSeconds('10.0.3.231')).toBeGreaterThan(0);
  });
});

describe('throttleKey', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['not an address', 'not an address'],
  ])('%s counts as %s', (address, key) => {
    expect(throttleKey(address)).toBe(key);
  });
});
