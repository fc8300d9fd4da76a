// Our order of RPM versions against the real rpm (its embedded Lua compares).
import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rpmScheme } from './rpm.ts';

const installed = spawnSync('rpm', ['--version']).status === 0;

const PIECES = '0 1 9 10 007 a Z rc b . _ + ~ ^ ~~ ^^ ~rc1 ^git1 .el8 .module+el8.6.0+16311+3e5e17e9'.split(
  ' ',
);
const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 6 }).map((parts) => `1${parts.join('')}`);
const version = fc
  .tuple(fc.constantFrom('', '', '0:', '1:', '02:'), text, text)
  .map(([epoch, upstream, release]) => `${epoch}${upstream}-${release}`);

/** One rpm process answers for all pairs. */
function realOrders(pairs: readonly (readonly [string, string])[]): readonly number[] {
  const calls = pairs.map(([a, b]) => `print(rpm.vercmp(${JSON.stringify(a)}, ${JSON.stringify(b)}).."\\n")`);
  const answers: number[] = [];
  for (let start = 0; start < calls.length; start += 200) {
    const expression = `%{lua:${calls.slice(start, start + 200).join(' ')}}`;
    const output = execFileSync('rpm', ['--eval', expression], { encoding: 'utf8' });
    answers.push(...output.trim().split('\n').map(Number));
  }
  return answers;
}

describe.skipIf(!installed)('order of RPM versions (needs rpm)', () => {
  it('agrees with rpm.vercmp on generated versions', () => {
    const pairs = fc.sample(fc.tuple(version, version), 3_000);
    const near = fc.sample(text, 1_000).map((upstream): [string, string] => [upstream, `${upstream}~1`]);
    const all: [string, string][] = [...pairs, ...near, ['1', '1-'], ['1', '1-0'], ['1-', '1-~']];
    const wrong = realOrders(all).flatMap((expected, index) => {
      const [a, b] = all[index] ?? ['', ''];
      const order = Math.sign(rpmScheme.compare(a, b));
      return order === expected ? [] : [`${a} against ${b}: ours ${order}, rpm ${expected}`];
    });
    expect(wrong).toEqual([]);
  });
});
