// `npm run build`: bundles the command line and its child processes into `dist/`, ready to publish.
import { build } from 'esbuild';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

// PGlite stays outside the bundle: it loads its WebAssembly and data files from beside itself.
const EXTERNAL = ['@electric-sql/pglite'];

const manifest = z
  .object({
    version: z.string(),
    description: z.string(),
    license: z.string(),
    dependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);

await build({
  entryPoints: {
    cli: join(root, 'src/cli/main.ts'),
    'embedded-child': join(root, 'src/store/embedded/child.ts'),
    'scan-child': join(root, 'src/scan/process-child.ts'),
    'update-child': join(root, 'src/scan/advisory-update-child.ts'),
  },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  sourcemap: 'linked',
  legalComments: 'linked',
  external: EXTERNAL,
  define: { 'process.env.BREAKWATER_BUNDLED': '"1"' },
  // CommonJS dependencies inside an ES module bundle ask for `require`.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
});

cpSync(join(root, 'library'), join(dist, 'library'), { recursive: true });
for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md']) cpSync(join(root, file), join(dist, file));
writeFileSync(
  join(dist, 'package.json'),
  `${JSON.stringify(
    {
      name: 'breakwater',
      version: manifest.version,
      description: manifest.description,
      license: manifest.license,
      type: 'module',
      engines: { node: '>=24' },
      bin: { breakwater: 'breakwater.js' },
      dependencies: Object.fromEntries(
        Object.entries(manifest.dependencies).filter(([name]) => EXTERNAL.includes(name)),
      ),
    },
    null,
    2,
  )}\n`,
);
writeFileSync(join(dist, 'breakwater.js'), "#!/usr/bin/env node\nimport './cli.js';\n");
chmodSync(join(dist, 'breakwater.js'), 0o755);
console.log('built dist/');
