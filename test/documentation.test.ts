// Documentation that must not drift: the error catalogue, the dependency list, the newcomer's table, links between pages.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadedErrorCatalogues } from '../src/core/index.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

async function loadCatalogues(): Promise<
  ReadonlyMap<string, { status: number; message: string; hint: string }>
> {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('errors.ts'),
  );
  for (const file of files) await import(join(root, 'src', file));
  const codes = new Map<string, { status: number; message: string; hint: string }>();
  for (const definitions of loadedErrorCatalogues().values()) {
    for (const [code, definition] of Object.entries(definitions)) codes.set(code, definition);
  }
  return codes;
}

describe('docs/errors.md', () => {
  const documented = new Map(
    [...read('docs/errors.md').matchAll(/^\| `([A-Z][A-Z0-9_]+)` \| (\d+) \| ([^|]*) \| ([^|]*) \|$/gm)].map(
      (match) => [
        match[1] ?? '',
        { status: Number(match[2]), message: match[3]?.trim(), hint: match[4]?.trim() },
      ],
    ),
  );

  it('lists exactly the codes of the source, with their status, text and hint', async () => {
    const catalogue = await loadCatalogues();
    const escape = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
    const expected = Object.fromEntries(
      [...catalogue]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([code, { status, message, hint }]) => [
          code,
          { status, message: escape(message), hint: escape(hint) },
        ]),
    );
    expect(Object.fromEntries([...documented].toSorted(([a], [b]) => (a < b ? -1 : 1)))).toEqual(expected);
  });

  it('names codes after their folder and gives each a hint', async () => {
    await loadCatalogues();
    for (const [folder, definitions] of loadedErrorCatalogues()) {
      for (const [code, definition] of Object.entries(definitions)) {
        expect(code.startsWith(`${folder.toUpperCase()}_`), code).toBe(true);
        expect(definition.hint.length, code).toBeGreaterThan(10);
      }
    }
  });
});

describe('docs/dependencies.md', () => {
  it('lists every direct dependency and no other', () => {
    const manifest: unknown = JSON.parse(read('package.json'));
    const names = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((section) => {
      const entries = (manifest as Record<string, Record<string, string> | undefined>)[section];
      return Object.keys(entries ?? {});
    });
    const documented = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \|/gm)].map(
      (match) => match[1],
    );
    expect(new Set(documented)).toEqual(new Set(names));
    expect(documented.length).toBe(names.length);
  });
});

describe('docs/architecture.md', () => {
  it('points newcomers at paths that exist', () => {
    const paths = [...read('docs/architecture.md').matchAll(/^\|[^|]+\| `([^`]+)`/gm)].map(
      (match) => match[1] ?? '',
    );
    expect(paths.length).toBeGreaterThan(12);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe('Markdown links', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md'))
      .map((path) => join('docs', path)),
  ];

  it.each(pages)('%s links only to files that exist', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(
      (match) => match[1] ?? '',
    );
    expect(links.filter((link) => !existsSync(resolve(dirname(join(root, page)), link)))).toEqual([]);
  });
});
