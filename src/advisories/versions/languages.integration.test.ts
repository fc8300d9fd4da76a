// Our order of RubyGems and Packagist versions against the real Gem::Version and version_compare.
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packagistScheme } from './packagist.ts';
import { rubygemsScheme } from './rubygems.ts';
import type { VersionScheme } from '../types.ts';

const has = (tool: string, ...args: string[]): boolean =>
  spawnSync(tool, args, { stdio: 'ignore' }).status === 0;
const hasRuby = has('ruby', '-e', 'Gem::Version');
const hasPhp = has('php', '-r', 'version_compare("1", "2");');

/** Pairs of versions, one a line, in; -1, 0 or 1 for each out. */
const RUBY = 'STDIN.each_line { |l| a, b = l.split; puts(Gem::Version.new(a) <=> Gem::Version.new(b)) }';
const PHP =
  'while ($l = fgets(STDIN)) { [$a, $b] = explode(" ", trim($l)); echo version_compare($a, $b), "\\n"; }';

type Pair = readonly [string, string];

function pairsOf(pieces: readonly string[]): readonly Pair[] {
  const piece = fc.constantFrom(...pieces);
  const version = fc.array(piece, { maxLength: 5 }).map((parts) => ['1', ...parts].join(''));
  return fc.sample(fc.tuple(version, version), 3_000);
}

function disagreements(
  scheme: VersionScheme,
  pairs: readonly Pair[],
  tool: string,
  args: readonly string[],
): string[] {
  const input = pairs.map((pair) => pair.join(' ')).join('\n');
  const { stdout } = spawnSync(tool, args, { input: `${input}\n`, encoding: 'utf8' });
  const real = stdout.trim().split('\n').map(Number);
  expect(real).toHaveLength(pairs.length);
  return pairs.flatMap(([a, b], index) => {
    const ours = Math.sign(scheme.compare(a, b));
    return ours === real[index] ? [] : [`${a} against ${b}: ${ours}, really ${real[index]}`];
  });
}

describe('orders of languages', () => {
  it.skipIf(!hasRuby)('agrees with Gem::Version on generated versions (skipped without ruby)', () => {
    const pairs = pairsOf([
      '.0',
      '.1',
      '.10',
      '.02',
      '.a',
      '.b1',
      '.rc',
      '.pre.2',
      '.0.0',
      '0',
      '7',
      '-java',
      '.Z',
    ]);
    expect(disagreements(rubygemsScheme, pairs, 'ruby', ['-e', RUBY])).toEqual([]);
  });

  it.skipIf(!hasPhp)('agrees with version_compare on generated versions (skipped without php)', () => {
    const pairs = pairsOf([
      '.0',
      '.1',
      '.10',
      '.02',
      '-dev',
      'a1',
      '-alpha',
      '-beta.2',
      'RC1',
      '-rc.1',
      '-p1',
      'pl2',
      '-2',
      '7',
    ]);
    expect(disagreements(packagistScheme, pairs, 'php', ['-r', PHP])).toEqual([]);
  });
});
