// The house rules of design.md section 2, read from the source: tiers, index-only imports, who may import what, file sizes.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const src = join(root, 'src');

const TIERS: Readonly<Record<string, number>> = {
  core: 0,
  oci: 1,
  store: 1,
  identity: 2,
  inventory: 2,
  policy: 2,
  advisories: 2,
  signing: 2,
  confidential: 2,
  scan: 3,
  registry: 3,
  posture: 3,
  detections: 3,
  admission: 4,
  incidents: 4,
  server: 5,
  cli: 5,
};

interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  readonly imports: readonly string[];
  readonly test: boolean;
}

/** Module specifiers of static imports, re-exports and dynamic imports with a literal. */
function importsOf(text: string): string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(/(?:^|[\n;])\s*(?:import|export)\s[^'";]*?from\s*['"]([^'"]+)['"]/g))
    found.add(match[1] ?? '');
  for (const match of text.matchAll(/(?:^|[\n;])\s*import\s*['"]([^'"]+)['"]/g)) found.add(match[1] ?? '');
  for (const match of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) found.add(match[1] ?? '');
  return [...found];
}

function readSources(): SourceFile[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(src, path), 'utf8');
      const test =
        /(\.test\.ts|(^|\/)testing\.ts|\/testing\/|\.contract\.ts)$/.test(path) || path.includes('/testing/');
      return { path, folder: path.split('/')[0] ?? '', text, imports: importsOf(text), test };
    });
}

const sources = readSources();
const product = sources.filter((file) => !file.test);

/** The file under `src` that a relative import names, or undefined for a package. */
function targetOf(file: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return relative(src, resolve(dirname(join(src, file.path)), specifier));
}

function violations(
  check: (file: SourceFile, specifier: string, target: string | undefined) => string | undefined,
): string[] {
  const found: string[] = [];
  for (const file of product) {
    for (const specifier of file.imports) {
      const problem = check(file, specifier, targetOf(file, specifier));
      if (problem !== undefined) found.push(`${file.path}: ${problem}`);
    }
  }
  return found;
}

/** Packages that only some places may import. */
const RESTRICTED: readonly { readonly module: RegExp; readonly allowed: RegExp; readonly why: string }[] = [
  {
    module: /^pg$|^pg-boss$|^@electric-sql\//,
    allowed: /^store\//,
    why: 'only store/ talks to the database',
  },
  {
    module: /^fastify|^@fastify\//,
    allowed: /^server\/|\/routes(-[a-z-]+)?\.ts$|\/routes\//,
    why: 'Fastify only in server/ and routes',
  },
  {
    module: /^(node:)?child_process$/,
    allowed: /^(store|scan|sensor)\//,
    why: 'processes are started by store/, scan/ and sensor/ only',
  },
  {
    module: /^commander$|^picocolors$|^string-width$/,
    allowed: /^cli\//,
    why: 'the command line is in cli/',
  },
  {
    module: /^jose$/,
    allowed: /^(identity|signing|confidential)\//,
    why: 'JOSE belongs to identity/ and signing/',
  },
  {
    module: /^(node:)?vm$|^(node:)?worker_threads$/,
    allowed: /^$/,
    why: 'no code evaluation, no threads (decision 2b)',
  },
];

describe('architecture', () => {
  it('has only folders that design.md names', () => {
    const unknown = [...new Set(sources.map((file) => file.folder))].filter((folder) => !(folder in TIERS));
    expect(unknown).toEqual([]);
  });

  it('imports only downward through the tiers', () => {
    expect(
      violations((file, _specifier, target) => {
        const folder = target?.split('/')[0];
        if (folder === undefined || folder === file.folder || folder === '..') return undefined;
        const from = TIERS[file.folder] ?? -1;
        const to = TIERS[folder] ?? 99;
        // The two entry folders may know each other: the command line starts the server.
        if (file.folder === 'cli' && folder === 'server') return undefined;
        return to < from ? undefined : `imports ${folder} (tier ${to}) from tier ${from}`;
      }),
    ).toEqual([]);
  });

  it('imports other folders only through their index', () => {
    expect(
      violations((file, specifier, target) => {
        const folder = target?.split('/')[0];
        if (target === undefined || folder === file.folder || folder === '..') return undefined;
        return target === `${folder}/index.ts` ? undefined : `imports ${specifier}`;
      }),
    ).toEqual([]);
  });

  it('lets only the right folders import database, HTTP framework and process modules', () => {
    expect(
      violations((file, specifier) => {
        const rule = RESTRICTED.find((entry) => entry.module.test(specifier));
        if (rule === undefined || rule.allowed.test(file.path)) return undefined;
        return `imports ${specifier}: ${rule.why}`;
      }),
    ).toEqual([]);
  });

  it('lets Kysely build SQL outside store/, but no dialect', () => {
    const dialects = product.filter(
      (file) => file.folder !== 'store' && /\b(PostgresDialect|new Kysely)\b/.test(file.text),
    );
    expect(dialects.map((file) => file.path)).toEqual([]);
  });

  it('writes to the terminal only in cli/', () => {
    const writers = product.filter(
      (file) =>
        file.folder !== 'cli' && /process\.std(out|err)|console\.(log|error|warn|info)\b/.test(file.text),
    );
    expect(writers.map((file) => file.path)).toEqual([]);
  });

  it('evaluates no text as code and builds no shell strings', () => {
    const evaluators = product.filter(
      (file) =>
        /\beval\(|new Function\(|shell:\s*true/.test(file.text) ||
        (file.imports.some((name) => name.endsWith('child_process')) && /\bexec(Sync)?\(/.test(file.text)),
    );
    expect(evaluators.map((file) => file.path)).toEqual([]);
  });

  it('has no folder or file named after nothing in particular', () => {
    const vague = sources.filter((file) =>
      /(^|\/)(utils?|helpers?|common|misc|manager)(\.ts|\/)/.test(file.path),
    );
    expect(vague.map((file) => file.path)).toEqual([]);
  });

  it('opens every file with one line that says what it is for', () => {
    const silent = sources.filter((file) => !/^(#!.*\n)?(\/\/ \S|\/\*\* \S)/.test(file.text));
    expect(silent.map((file) => file.path)).toEqual([]);
  });

  it('keeps index files to re-exports', () => {
    const active = product.filter(
      (file) =>
        file.path === `${file.folder}/index.ts` &&
        file.text
          .replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '')
          .replace(/export\s+(type\s+)?(\*|\{[^}]*\})\s*(as\s+\w+\s*)?from\s*'[^']+';/g, '')
          .trim() !== '',
    );
    expect(active.map((file) => file.path)).toEqual([]);
  });

  it('keeps files small: median 120 lines, 95th percentile 400, none over 600', () => {
    const lines = product.map((file) => ({ path: file.path, count: file.text.split('\n').length }));
    const sorted = lines.map((entry) => entry.count).toSorted((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    expect(lines.filter((entry) => entry.count > 600)).toEqual([]);
    expect(at(0.5)).toBeLessThanOrEqual(120);
    expect(at(0.95)).toBeLessThanOrEqual(400);
  });

  it('would notice a forbidden import', () => {
    expect(
      importsOf("import { Pool } from 'pg';\nexport * from '../scan/index.ts';\nawait import('./x.ts')"),
    ).toEqual(['pg', '../scan/index.ts', './x.ts']);
  });
});
