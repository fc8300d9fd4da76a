// Our order of Debian versions against the real dpkg.
import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dpkgScheme } from './dpkg.ts';

const installed = spawnSync('dpkg', ['--version']).status === 0;

const piece = fc.constantFrom(
  '0',
  '1',
  '9',
  '10',
  '007',
  'a',
  'Z',
  'rc',
  '+',
  '~',
  '~~',
  '.',
  '-',
  '+deb12u1',
  '~bpo1',
);
const upstream = fc.array(piece, { maxLength: 6 }).map((parts) => `1${parts.join('')}`);
const epoch = fc.constantFrom('', '', '0:', '1:', '02:');
const version = fc.tuple(epoch, upstream).map(([number, rest]) => `${number}${rest}0`);

function realOrder(a: string, b: string): number {
  const holds = (operator: string) => spawnSync('dpkg', ['--compare-versions', a, operator, b]).status === 0;
  if (holds('lt')) return -1;
  return holds('eq') ? 0 : 1;
}

describe.skipIf(!installed)('order of Debian versions (needs dpkg)', () => {
  it('agrees with dpkg --compare-versions on generated versions', () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(Math.sign(dpkgScheme.compare(a, b)), `${a} against ${b}`).toBe(realOrder(a, b));
      }),
      { numRuns: 400 },
    );
  });

  it('agrees with dpkg on neighbours among the versions installed here', () => {
    const versions = execFileSync('dpkg-query', ['-W', '-f', '${Version}\n'], { encoding: 'utf8' })
      .trim()
      .split('\n');
    for (let index = 1; index < Math.min(versions.length, 150); index++) {
      const [a = '', b = ''] = versions.slice(index - 1, index + 1);
      expect(Math.sign(dpkgScheme.compare(a, b)), `${a} against ${b}`).toBe(realOrder(a, b));
    }
  });
});
