// Runs every check of `doctor`; one that breaks is a failed check, not a failed command.
import { describeError } from '../../core/index.ts';
import { readServerFile, type ServerFile } from '../../server/index.ts';
import { checkAdvisories } from './advisories.ts';
import { type CheckContext, type CheckResult, fail } from './check.ts';
import { checkDatabase } from './database.ts';
import { checkDataDirectory, checkDiskSpace } from './data-directory.ts';
import { checkMemory, checkNode, checkTools } from './machine.ts';
import { checkPort, checkServer } from './network.ts';

type Check = (context: CheckContext, server: ServerFile | undefined) => Promise<CheckResult> | CheckResult;

const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ['Node.js', checkNode],
  ['memory', checkMemory],
  ['data directory', checkDataDirectory],
  ['disk space', checkDiskSpace],
  ['server', checkServer],
  ['database', checkDatabase],
  [
    'API address',
    (context, server) => checkPort('API address', context.listen, '--listen', server?.api ?? null),
  ],
  [
    'registry address',
    (context, server) =>
      checkPort('registry address', context.registryListen, '--registry-listen', server?.registry ?? null),
  ],
  ['advisories', checkAdvisories],
  ['image tools', checkTools],
];

export async function runChecks(context: CheckContext): Promise<readonly CheckResult[]> {
  const server = await readServerFile(context.dataDirectory);
  const results: CheckResult[] = [];
  for (const [name, check] of CHECKS) {
    try {
      results.push(await check(context, server));
    } catch (error) {
      results.push(
        fail(
          name,
          `the check itself failed: ${describeError(error)}`,
          'Report this with the output of the command.',
        ),
      );
    }
  }
  return results;
}
