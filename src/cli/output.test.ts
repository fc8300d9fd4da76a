// `-o`, targets, terminal width and colour, columns, and how errors are shown.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BreakwaterError } from '../core/index.ts';
import { layoutColumns, truncate } from './columns.ts';
import { splitVersion } from './commands/advisories.ts';
import { cliErrors } from './errors.ts';
import { exitCodeOf, failureJson, failureText } from './failure.ts';
import { parseReportOutputs } from './output.ts';
import { parseTarget } from './scan-target.ts';
import { terminalWidth, useColour } from './terminal.ts';

describe('-o', () => {
  it('reads formats and files, the table being the default', () => {
    expect(parseReportOutputs([])).toEqual([{ format: 'table', file: null }]);
    expect(parseReportOutputs(['json=report.json', 'table', 'sarif=a=b.sarif'])).toEqual([
      { format: 'json', file: 'report.json' },
      { format: 'table', file: null },
      { format: 'sarif', file: 'a=b.sarif' },
    ]);
    expect(parseReportOutputs(['JSON=-'])).toEqual([{ format: 'json', file: null }]);
  });

  it.each([[['xml']], [['json=']], [['json', 'table']], [['json=a', 'csv=a']]])('refuses %j', (values) => {
    expect(() => parseReportOutputs(values)).toThrow(/-o/);
  });
});

describe('targets', () => {
  it('reads the four kinds', () => {
    expect(parseTarget('dir:/srv', true)).toMatchObject({ kind: 'directory', path: '/srv' });
    expect(parseTarget('oci:layout:latest', true)).toMatchObject({
      kind: 'layout',
      path: 'layout',
      tag: 'latest',
    });
    expect(parseTarget('oci:layout', true)).toMatchObject({ path: 'layout', tag: null });
    expect(parseTarget('oci:/a:b/c', true)).toMatchObject({ path: '/a:b/c', tag: null });
    expect(parseTarget('docker-archive:a.tar:app', true)).toMatchObject({
      kind: 'archive',
      path: 'a.tar',
      tag: 'app',
    });
    expect(parseTarget('127.0.0.1:5000/shop/cart:1.4', false)).toMatchObject({
      kind: 'registry',
      reference: { registry: '127.0.0.1:5000', repository: 'shop/cart', tag: '1.4' },
    });
  });

  it('says what it cannot do', () => {
    expect(parseTarget('sbom:a.json', true)).toEqual({ kind: 'sbom', text: 'sbom:a.json', path: 'a.json' });
    expect(() => parseTarget('alpine', true)).toThrow(/--offline/);
    expect(() => parseTarget('oci:', false)).toThrow(/path/);
  });

  it('throws coded errors only', () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.constantFrom('', 'oci:', 'dir:', 'docker-archive:', 'sbom:'), fc.string()),
        ([scheme, rest]) => {
          try {
            parseTarget(scheme + rest.replaceAll('\0', ''), false);
          } catch (error) {
            expect(error).toBeInstanceOf(BreakwaterError);
            expect(exitCodeOf(error)).toBe(2);
          }
        },
      ),
    );
  });
});

describe('advisories lookup', () => {
  it.each([
    ['npm/lodash@4.17.15', 'npm/lodash', '4.17.15'],
    ['npm/@babel/core@7.0.0', 'npm/@babel/core', '7.0.0'],
    ['npm/@babel/core', 'npm/@babel/core', undefined],
    ['npm/@scope', 'npm/@scope', undefined],
    ['CVE-2024-3094', 'CVE-2024-3094', undefined],
  ])('splits %s', (question, name, version) => {
    expect(splitVersion(question)).toEqual({ name, version });
  });
});

describe('terminal', () => {
  it('respects NO_COLOR, TERM and COLUMNS', () => {
    expect(useColour({}, true)).toBe(true);
    expect(useColour({ NO_COLOR: '1' }, true)).toBe(false);
    expect(useColour({ TERM: 'dumb' }, true)).toBe(false);
    expect(useColour({}, false)).toBe(false);
    expect(useColour({ FORCE_COLOR: '1' }, false)).toBe(true);
    expect(terminalWidth({ COLUMNS: '80' }, 200)).toBe(80);
    expect(terminalWidth({ COLUMNS: 'wide' }, 200)).toBe(200);
    expect(terminalWidth({}, undefined)).toBe(120);
    expect(terminalWidth({}, 0)).toBe(120);
  });
});

describe('columns', () => {
  it('aligns wide characters by what they cover on screen', () => {
    const lines = layoutColumns(
      [{ title: 'A' }, { title: 'B' }],
      [
        [{ text: '漢字' }, { text: 'x' }],
        [{ text: 'ab' }, { text: 'y' }],
      ],
      80,
    );
    expect(lines).toEqual(['A     B', '漢字  x', 'ab    y']);
  });

  it('keeps to the width whenever columns may be dropped or cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 30, max: 120 }),
        (texts, width) => {
          const rows = texts.map((text) => [
            { text: 'k' },
            { text: text.replace(/[^a-z ]/g, 'x') },
            { text: 'tail' },
          ]);
          const columns = [
            { title: '' },
            { title: '', priority: 1, shrinkTo: 8 },
            { title: '', priority: 2 },
          ];
          for (const line of layoutColumns(columns, rows, width))
            expect(line.length).toBeLessThanOrEqual(width);
        },
      ),
    );
    expect(truncate('abcdef', 4)).toBe('abc…');
  });
});

describe('errors', () => {
  const error = cliErrors.create(
    'CLI_OUTPUT_FAILED',
    { file: 'a', reason: 'x' },
    new Error('ENOSPC: no space left'),
  );

  it('says what happened, why, what to do, and the code', () => {
    expect(failureText(error)).toBe(
      'error: cannot write a: x\nwhy:   ENOSPC: no space left\ndo:    Check that the folder exists, that this user may write to it, and that the disk is not full.\ncode:  CLI_OUTPUT_FAILED\n',
    );
    expect(JSON.parse(failureJson(error))).toEqual({
      error: {
        code: 'CLI_OUTPUT_FAILED',
        message: 'cannot write a: x',
        cause: 'ENOSPC: no space left',
        hint: 'Check that the folder exists, that this user may write to it, and that the disk is not full.',
      },
    });
    expect(exitCodeOf(error)).toBe(3);
  });

  it('calls anything else an internal error', () => {
    expect(exitCodeOf(new TypeError('x'))).toBe(70);
    expect(failureText(new TypeError('x'))).toContain('code:  INTERNAL');
    expect(JSON.parse(failureJson('thrown text'))).toMatchObject({ error: { code: 'INTERNAL' } });
  });
});
