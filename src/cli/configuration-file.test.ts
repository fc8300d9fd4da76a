// The configuration file: what it may hold, and that no text makes it throw anything but its own errors.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfiguration } from './configuration-file.ts';
import { cliErrors } from './errors.ts';

const known = new Map([
  ['serve', new Set(['data', 'listen', 'no-sample'])],
  ['scan', new Set(['fail-on', 'output', 'quiet'])],
  ['advisories build', new Set(['out'])],
]);
const parse = (text: string) => parseConfiguration(text, 'config.yaml', known);

describe('configuration file', () => {
  it('reads options of all commands, of one command and of a command in a group', () => {
    const found = parse(
      'data: /srv\nscan:\n  fail-on: high\n  output: [json=a.json, table]\n  quiet: true\nadvisories:\n  build:\n    out: a.bwadv\n',
    );
    expect(found.get('')?.get('data')).toBe('/srv');
    expect(found.get('scan')?.get('fail-on')).toBe('high');
    expect(found.get('scan')?.get('output')).toEqual(['json=a.json', 'table']);
    expect(found.get('scan')?.get('quiet')).toBe(true);
    expect(found.get('advisories build')?.get('out')).toBe('a.bwadv');
  });

  it('takes an empty file', () => {
    expect(parse('').size).toBe(0);
    expect(parse('# nothing\n').size).toBe(0);
  });

  it('turns numbers to text, as flags are', () => {
    expect(parse('listen: 8080').get('')?.get('listen')).toBe('8080');
  });

  it.each([
    ['a list at the top', '- a\n', /mapping/],
    ['an unknown option', 'colour: red\n', /"colour"/],
    ['an unknown option of a command', 'scan:\n  data: x\n', /"scan\.data"/],
    ['an unknown command', 'scam:\n  quiet: true\n', /scam/],
    ['a nested value', 'data: { a: 1 }\n', /data/],
    ['a key twice', 'data: a\ndata: b\n', /unique/i],
    ['broken YAML', 'data: [\n', /config\.yaml/],
    [
      'too many aliases',
      `a: &a [x]\n${Array.from({ length: 60 }, (_, i) => `k${i}: [*a, *a, *a]`).join('\n')}`,
      /config\.yaml/,
    ],
  ])('refuses %s', (_what, text, reason) => {
    expect(() => parse(text)).toThrow(reason);
  });

  it('never throws anything but its own error', () => {
    const yamlish = fc
      .array(
        fc.constantFrom(
          'data',
          'scan',
          ':',
          ' ',
          '\n',
          '-',
          '[',
          ']',
          '{',
          '}',
          '&a',
          '*a',
          '!!',
          '"',
          "'",
          '|',
          '>',
          '?',
          '#',
          '\t',
          '1',
        ),
        { maxLength: 60 },
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), yamlish), (text) => {
        try {
          parse(text);
        } catch (error) {
          expect(cliErrors.is(error, 'CLI_CONFIGURATION_INVALID')).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
