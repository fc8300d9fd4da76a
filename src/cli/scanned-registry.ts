// The registry that a scanned image came from, for what hangs on the image: attached VEX documents, SBOMs and reports.
import { systemClock } from '../core/index.ts';
import { findCredential, RegistryClient } from '../oci/index.ts';
import type { ScanReport } from '../scan/index.ts';
import { type Attachment, ATTACHMENTS, attachReports } from './attachments.ts';
import type { CommandContext } from './command-line.ts';
import { cliErrors } from './errors.ts';
import type { FormatContext } from './formats/format.ts';
import { optionText } from './option-values.ts';
import { readRegistryVex } from './registry-vex.ts';
import type { ScanTarget } from './scan-target.ts';
import { applySuppressions, type SuppressionSources } from './suppression-sources.ts';

/** What the options ask of the registry. */
export interface RegistryWishes {
  readonly attachments: readonly Attachment[];
  readonly vex: boolean;
}

/** @throws CLI_USAGE for an unknown attachment, and for a target that is in no registry */
export function registryWishes(
  options: Readonly<Record<string, unknown>>,
  target: ScanTarget,
): RegistryWishes {
  const names = optionText(options['attach'])?.split(',') ?? [];
  const attachments = names.map((name) => {
    const found = ATTACHMENTS.find((known) => known === name.trim());
    if (found !== undefined) return found;
    throw cliErrors.create('CLI_USAGE', {
      problem: `--attach takes ${ATTACHMENTS.join(' and ')}, not "${name}"`,
    });
  });
  const vex = options['vexFromRegistry'] === true;
  if (target.kind !== 'registry' && (vex || attachments.length > 0)) {
    const problem = '--attach and --vex-from-registry need an image in a registry';
    throw cliErrors.create('CLI_USAGE', { problem });
  }
  return { attachments: [...new Set(attachments)], vex };
}

/** Marks what is exempt: by the files, and after them by what is attached to the image where that is wished. */
export async function markFindings(
  reports: readonly ScanReport[],
  sources: SuppressionSources,
  target: ScanTarget,
  wishes: RegistryWishes,
  context: CommandContext,
): Promise<readonly ScanReport[]> {
  if (!wishes.vex || target.kind !== 'registry') return applySuppressions(reports, sources);
  const client = await clientOf(target, context);
  const { documents, problems } = await readRegistryVex(client, target.reference.repository, reports);
  for (const problem of problems) context.terminal.err(`${problem}\n`);
  return applySuppressions(reports, { ...sources, vex: [...sources.vex, ...documents] });
}

/** Pushes what is wished and says on stderr what became of it. */
export async function attachWished(
  reports: readonly ScanReport[],
  target: ScanTarget,
  { attachments }: RegistryWishes,
  format: FormatContext,
  context: CommandContext,
): Promise<void> {
  if (attachments.length === 0 || target.kind !== 'registry') return;
  const client = await clientOf(target, context);
  const done = await attachReports(client, target.reference, reports, attachments, format);
  for (const { attachment, subject, digest, pushed } of done) {
    context.terminal.err(
      `${attachment} of ${subject}: ${pushed ? 'attached as' : 'attached already as'} ${digest}\n`,
    );
  }
}

async function clientOf(
  { reference }: Extract<ScanTarget, { readonly kind: 'registry' }>,
  { environment, interrupted }: CommandContext,
): Promise<RegistryClient> {
  const credential = await findCredential(reference.registry, reference.repository, environment);
  return new RegistryClient(reference.registry, { credential, clock: systemClock, signal: interrupted });
}
