// Rewrites `docs/errors.md` from the error catalogues in the source.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadedErrorCatalogues } from '../src/core/index.ts';

const root = join(import.meta.dirname, '..');

for (const file of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
  if (file.endsWith('errors.ts')) await import(join(root, 'src', file));
}

const escape = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const sections = [...loadedErrorCatalogues()]
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(([folder, definitions]) => {
    const rows = Object.entries(definitions)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([code, { status, message, hint }]) =>
          `| \`${code}\` | ${status} | ${escape(message)} | ${escape(hint)} |`,
      );
    return `## ${folder}\n\n| code | HTTP | what happened | what to do |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });

writeFileSync(
  join(root, 'docs/errors.md'),
  `# Errors\n\nEvery error carries a stable code. In the API it is \`error.code\` of the body with the HTTP status below; on the\ncommand line it is printed with the message and the hint. Made by \`node scripts/document-errors.ts\`, tested against the source.\nThe registry's \`/v2\` answers use the codes of the OCI distribution specification instead.\n\n${sections.join('\n')}`,
);
