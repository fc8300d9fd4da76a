// The search against a plain one, whatever the bytes and however they are cut; and what its parts promise.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAllowed } from './allow-list.ts';
import { archivedFiles } from './archives.ts';
import { KeywordAutomaton } from './keyword-automaton.ts';
import { maskSecret, secretFingerprint } from './masking.ts';
import { decodePathHashes, encodePathHashes, pathHash } from './path-hashes.ts';
import { unsafePattern } from './pattern-safety.ts';
import { compileRules, secretRules } from './rules.ts';
import { SecretSearch } from './search.ts';
import { hasBase62Checksum, isAwsKeyId } from './validators/checksums.ts';

const ALL = { token: true, assigned: true, generic: true };
const base = { provider: 'Test', severity: 'high', remediation: 'Replace it everywhere.' };
const small = compileRules([
  { ...base, id: 'fixed', title: 'fixed', keywords: ['tok_'], token: 'tok_[0-9a-f]{8}', window: [8, 24] },
  { ...base, id: 'range', title: 'range', keywords: ['kk'], token: 'kk[a-f]{8,12}', window: [8, 24] },
  { ...base, id: 'named', title: 'named', keywords: ['acme'], assigned: '[0-9a-f]{6}', window: [16, 40] },
]);

function ids(search: SecretSearch, text: Buffer, cuts: readonly number[] = []): string[] {
  search.begin(ALL);
  let at = 0;
  for (const cut of cuts) {
    search.write(text.subarray(at, at + cut));
    at += cut;
  }
  search.write(text.subarray(at));
  return search
    .finish()
    .matches.map(({ rule, start, line, value }) => `${rule.id} ${start} ${line} ${value}`);
}

/** Every rule's pattern over the whole text, without keywords, regions or windows. */
function plainIds(text: Buffer): string[] {
  const all = text.toString('latin1');
  const found = new Map<string, { start: number; length: number; order: number; text: string }>();
  for (const rule of small) {
    for (const match of all.matchAll(new RegExp(rule.pattern.source, 'dg'))) {
      const value = match.groups?.['secret'] ?? '';
      const start = match.indices?.groups?.['secret']?.[0] ?? 0;
      const line = all.slice(0, start).split('\n').length;
      const key = `${rule.id} ${value}`;
      if (isAllowed(value) || found.has(key)) continue;
      const rank = rule.kind === 'token' ? 0 : 1;
      found.set(key, {
        start,
        length: value.length,
        order: rank,
        text: `${rule.id} ${start} ${line} ${value}`,
      });
    }
  }
  const ranked = [...found.values()].toSorted((a, b) => a.order - b.order || b.length - a.length);
  const kept: typeof ranked = [];
  for (const one of ranked)
    if (!kept.some((other) => one.start < other.start + other.length && other.start < one.start + one.length))
      kept.push(one);
  return kept.toSorted((a, b) => a.start - b.start).map((one) => one.text);
}

const pieces = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'tok_',
        'tok_12ab34cd',
        'TOK_12ab34cd',
        'kkaffaebdc',
        'kkaffaebdcfa',
        'acme_key=12ab34',
        'acme',
        ' ',
        '\n',
        '=',
        'ab',
        '.',
      ),
      fc.string({ maxLength: 30, unit: 'binary-ascii' }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'));

describe('the search', () => {
  it('finds what a plain search finds', () => {
    const search = new SecretSearch(small);
    fc.assert(fc.property(pieces, (text) => void expect(ids(search, text)).toEqual(plainIds(text))));
  });

  it('does not care how a text is cut, nor how large its buffer is', () => {
    const large = new SecretSearch(secretRules());
    const tiny = new SecretSearch(small, 16);
    const whole = new SecretSearch(small);
    const secret = Buffer.from(`x=1\nkey: "glpat-${'aB3dE6gH9jK2mN5pQ8rS'}"\n`);
    fc.assert(
      fc.property(pieces, fc.array(fc.nat(50), { maxLength: 30 }), (text, cuts) => {
        expect(ids(tiny, text, cuts)).toEqual(ids(whole, text));
        const longer = Buffer.concat([text, Buffer.from('\n'), secret]);
        expect(ids(large, longer, cuts)).toEqual(ids(large, longer));
        expect(ids(large, longer).join()).toContain('gitlab-pat');
      }),
    );
  });

  it('takes arbitrary bytes', () => {
    const search = new SecretSearch(secretRules());
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4_000 }), (bytes) => {
        search.begin(ALL);
        search.write(bytes);
        search.finish();
      }),
    );
  });

  it('finds a value beyond the first window, with its line', () => {
    const search = new SecretSearch(secretRules());
    const text = Buffer.concat([
      Buffer.from('line\n'.repeat(600_000)),
      Buffer.from('t = 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\n'),
    ]);
    const [match] = ids(search, text);
    expect(match).toMatch(/^huggingface-token 3000004 600001 /);
  });

  it('takes time in proportion to a text full of keywords', () => {
    const search = new SecretSearch(secretRules());
    const time = (bytes: number): number => {
      const text = Buffer.from('-----BEGIN PRIVATE KEY-----password=jwt_secret: eyJ '.repeat(bytes / 52));
      const started = performance.now();
      ids(search, text);
      return performance.now() - started;
    };
    time(50_000);
    expect(time(400_000)).toBeLessThan(60 * Math.max(time(50_000), 20));
  });
});

describe('keywords', () => {
  it('are found where a plain search finds them, whatever the case', () => {
    const word = fc.string({ minLength: 1, maxLength: 5, unit: fc.constantFrom('a', 'b', 'c', '_') });
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 1, maxLength: 8 }),
        fc.string({ unit: fc.constantFrom('a', 'B', 'c', '_', ' ') }),
        (words, text) => {
          const hits: string[] = [];
          new KeywordAutomaton(words).run(Buffer.from(text), 0, text.length, 0, (keyword, end) =>
            hits.push(`${words[keyword] ?? ''} ${end}`),
          );
          const lower = text.toLowerCase();
          const plain = words.flatMap((one) =>
            Array.from({ length: text.length + 1 }, (_, end) => end)
              .filter((end) => end >= one.length && lower.slice(end - one.length, end) === one)
              .map((end) => `${one} ${end}`),
          );
          expect(hits.toSorted()).toEqual(plain.toSorted());
        },
      ),
    );
  });
});

describe('rules', () => {
  it('refuses patterns that could take long', () => {
    for (const pattern of [
      'a+',
      'a*b',
      '[a]{3,}',
      '(?:a{1,5}){2,9}',
      '(?:(?:a{1,2})b){0,3}',
      'a{1,99999}',
      '(a',
    ]) {
      expect(unsafePattern(pattern), pattern).toBeDefined();
    }
    for (const pattern of [
      'a{1,5}b?',
      '(?:ab){2,4}',
      '(?:a{3}){2,5}',
      '[+*]{2}',
      '\\+{2}',
      '(?<=a)(?i:b{0,3})',
    ])
      expect(unsafePattern(pattern), pattern).toBeUndefined();
    const rule = { ...base, id: 'bad', title: 'bad', keywords: ['bad'], token: 'bad[a-z]+' };
    expect(() => compileRules([rule])).toThrow(/no upper bound/);
    expect(() => compileRules([{ ...rule, token: 'bad', validator: 'none' }])).toThrow(/no validator/);
  });
});

describe('structure', () => {
  it('knows published examples', () => {
    expect(hasBase62Checksum('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')).toBe(true);
    expect(hasBase62Checksum('ghp_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18')).toBe(false);
    // Account 609629065308 (decoding published with the format).
    expect(isAwsKeyId('ASIAY34FZKBOKMUTVV7A')).toBe(true);
    expect(isAwsKeyId('AKIA111111111111111A')).toBe(false);
  });

  it('lets documentation be', () => {
    for (const value of [
      'AKIAIOSFODNN7EXAMPLE',
      '${TOKEN}',
      '{{ token }}',
      '<your-token>',
      'changeme',
      'xxxxxxxx',
      '$TOKEN',
    ])
      expect(isAllowed(value), value).toBe(true);
    expect(isAllowed('q8Zr2vKx71LmP')).toBe(false);
  });
});

describe('masking', () => {
  it('shows six characters at most, and none of a short value', () => {
    expect(maskSecret('hunter2hunter2')).toBe('******');
    expect(maskSecret('ghp_zQWBuTSOoRi4A9spHcVY5ncn')).toBe('ghp_******cn');
    fc.assert(
      fc.property(fc.string(), (value) => {
        const shown = maskSecret(value).replaceAll('*', '');
        expect(shown.length).toBeLessThanOrEqual(6);
        expect(secretFingerprint('rule', value)).toMatch(/^[0-9a-f]{32}$/);
      }),
    );
    expect(secretFingerprint('a', 'v')).not.toBe(secretFingerprint('b', 'v'));
  });
});

describe('archives', () => {
  it('never throw, whatever the bytes', () => {
    const magic = fc.constantFrom('PK\u0003\u0004', '\u001f\u008b', '');
    fc.assert(
      fc.property(magic, fc.uint8Array({ maxLength: 600 }), (start, rest) => {
        const end = Buffer.from('504b0506', 'hex');
        const bytes = Buffer.concat([
          Buffer.from(start, 'latin1'),
          rest,
          end,
          Buffer.from(rest).subarray(0, 40),
        ]);
        expect(
          [
            ...archivedFiles(
              bytes,
              () => true,
              () => {},
            ),
          ].length,
        ).toBeLessThan(10);
      }),
    );
  });
});

describe('path hashes', () => {
  it('come back as they went', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (paths) => {
        const hashes = new Set(paths.map(pathHash));
        expect(decodePathHashes(encodePathHashes(hashes))).toEqual(hashes);
      }),
    );
  });
});
