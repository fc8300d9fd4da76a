// What `serve` says when it is ready and what it shows of the sample image.
import type { RunningServer } from '../server/index.ts';
import type { ScanReport } from '../scan/index.ts';
import { tableFormat } from './formats/table.ts';
import { SAMPLE_NAME } from './sample-push.ts';
import type { Terminal } from './terminal.ts';
import { compareVersions } from './version-order.ts';
import { VERSION } from './version.ts';

/** One line for scripts (`--ready-json`); the credential is in it on new data only. */
export function readyJson({ apiUrl, registryAddress, credential }: RunningServer): string {
  return `${JSON.stringify({ api: apiUrl, registry: registryAddress, ...credential })}\n`;
}

export function readyText({ apiUrl, registryAddress, credential }: RunningServer, version: string): string {
  const lines = [`Breakwater ${version} is ready.`];
  if (apiUrl !== null) lines.push(`  API and page   ${apiUrl}`);
  if (registryAddress !== null) lines.push(`  registry       ${registryAddress}`);
  if (credential !== null) {
    lines.push(
      `  user name      ${credential.username}`,
      `  password       ${credential.password}   (shown this once; keep it)`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** The findings of the sample, fix first, and three commands to go on with. */
export async function sampleText(
  report: ScanReport,
  { apiUrl, registryAddress }: RunningServer,
  terminal: Terminal,
): Promise<string> {
  const table = tableFormat.render([report], {
    toolVersion: VERSION,
    width: terminal.width,
    colour: terminal.colour,
    showAll: false,
    showExempt: false,
    compareVersions,
  });
  return [
    '',
    table.trimEnd(),
    '',
    'Next:',
    `  skopeo login --tls-verify=false -u admin ${registryAddress ?? ''}`,
    `  npx breakwater scan ${registryAddress ?? ''}/${SAMPLE_NAME} --all`,
    `  curl -u admin ${apiUrl ?? ''}/api/v1/images     (or open ${apiUrl ?? ''} in a browser)`,
    '',
    '',
  ].join('\n');
}
