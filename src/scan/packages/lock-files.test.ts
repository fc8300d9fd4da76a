// Lock files: where they count, that docs/scanning.md shows the table, and that no content makes a reader throw.
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogerTables, catalogerVersions, type ScanScope } from '../catalogers.ts';
import { catalogFile } from '../testing.ts';
import { LOCK_FILES, lockFiles } from './lock-files.ts';

const DOCS = new URL('../../../docs/scanning.md', import.meta.url);

/** Pieces that lock files are made of, so that random texts come near the real ones. */
const PIECE = fc.constantFrom(
  '[[package]]',
  '[[packages]]',
  'name = "a"',
  'version = "1"',
  'source = {',
  '"""',
  "'''",
  'packages:',
  '  a@1:',
  "  '@a/b@1(c@2)':",
  '    version: 1',
  '"a@^1":',
  '  version "1"',
  '  resolution: "a@npm:1"',
  'GEM',
  '    a (1)',
  '%{',
  '"a": {:hex, :a, "1", "x"',
  'a==1',
  '{"packages":',
  '[',
  ']',
  '{"name":"a"',
  '}',
  '\r',
  '\0',
  'lockfileVersion: 9',
  'lockfileVersion: 5.4',
  '  /a/1_b@2:',
  'name = "\u202e"',
);
const TEXT = fc
  .array(fc.oneof(PIECE, fc.string({ maxLength: 5 })), { maxLength: 20 })
  .map((parts) => parts.join('\n'));

function isRead(scope: ScanScope, path: string): boolean {
  return catalogerTables[scope].of(path).some((cataloger) => lockFiles.includes(cataloger));
}

describe('lock files', () => {
  it('count in project folders, and in images only for languages without another trace', () => {
    const inImages = LOCK_FILES.filter((lock) => isRead('image', `srv/${lock.fileNames[0]}`));
    expect(inImages.map((lock) => lock.name)).toEqual(['mix-lock', 'package-resolved', 'pubspec-lock']);
    expect(LOCK_FILES.every((lock) => isRead('directory', lock.fileNames[0] ?? ''))).toBe(true);
    expect(catalogerVersions).toContain('mix-lock@1');
    expect(catalogerVersions).not.toContain('cargo-lock');
  });

  it.each([
    ['Cargo.lock', true],
    ['a/b/yarn.lock', true],
    ['a/Cargo.lock.orig', false],
    ['a/node_modules/b/yarn.lock', false],
    ['ruby/gems/3.1.0/gems/rbs-2.1.0/steep/Gemfile.lock', false],
    ['gems/own-engine/Gemfile.lock', true],
    ['vendor/github.com/x/Gemfile.lock', false],
    ['.venv/lib/python3/site-packages/x/requirements.txt', false],
  ])('are read at %s: %s', (path, expected) => {
    expect(isRead('directory', path)).toBe(expected);
  });

  it.each(LOCK_FILES.map((lock) => [lock.name, lock] as const))(
    '%s stands in the documentation',
    (_name, lock) => {
      const docs = existsSync(DOCS) ? readFileSync(DOCS, 'utf8') : '';
      expect(docs).toContain(lock.reason);
      for (const name of lock.fileNames) expect(docs).toContain(name);
    },
  );

  it.each(lockFiles.map((lock) => [lock.name, lock] as const))(
    '%s never throws, whatever it reads',
    (_name, lock) => {
      const path = lock.fileNames?.[0] ?? '';
      const printable = /^[^\s\p{Cc}\p{Cf}]+$/u;
      fc.assert(
        fc.property(fc.oneof(TEXT, fc.json(), fc.uint8Array({ maxLength: 200 })), (content) => {
          for (const item of catalogFile(lock, path, content).packages) {
            expect(item.name).toMatch(printable);
            expect(item.version).toMatch(printable);
          }
        }),
        { numRuns: 150 },
      );
    },
  );

  it.each(lockFiles.map((lock) => [lock.name, lock] as const))(
    '%s stays quick on long and deep files',
    (_name, lock) => {
      const path = lock.fileNames?.[0] ?? '';
      for (const unit of [
        'a',
        ' ',
        '\n',
        '[',
        '{"a":',
        '"',
        '  a:\n',
        '[[package]]\n',
        'a@',
        '\\',
        '- ',
        "'",
      ]) {
        const started = performance.now();
        catalogFile(lock, path, unit.repeat(500_000 / unit.length));
        expect(performance.now() - started).toBeLessThan(1_000);
      }
    },
  );
});
