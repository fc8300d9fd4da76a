// The command tree. Commands load their code only when they run, so that `--help` starts fast.
import { type Command, CommanderError } from 'commander';
import {
  addressOption,
  advisoriesOption,
  type Bind,
  collect,
  type CommandContext,
  configOption,
  databaseOption,
  dataOption,
  ignoreFileOption,
  logLevelOption,
  newCommand,
  outputOption,
  parseDuration,
  parseNames,
  parsePositive,
  parseSeverities,
  parseSeverity,
  roleOption,
  scannersOption,
  vexOption,
} from './command-line.ts';
import { cliErrors } from './errors.ts';
import { exitCodeOf, failureJson, failureText } from './failure.ts';
import { FORMAT_NAMES } from './formats/format.ts';
import { applyOptionSources } from './option-sources.ts';
import { VERSION } from './version.ts';

/** Runs the command line and resolves to the exit code; never rejects. */
export async function runCommandLine(argv: readonly string[], context: CommandContext): Promise<number> {
  let exitCode = 0;
  const bind: Bind = (command, load) =>
    command.action(async (...parameters: unknown[]) => {
      await applyOptionSources(command, context.environment);
      const action = await load();
      const args = parameters
        .slice(0, -2)
        .flat()
        .filter((value) => typeof value === 'string');
      exitCode = await action(context, args, command.opts());
    });
  const program = buildProgram(bind, context);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    const error = thrown instanceof CommanderError ? usageError(thrown) : thrown;
    context.terminal.err(wantsJson(argv) ? failureJson(error) : failureText(error));
    return exitCodeOf(error);
  }
}

function buildProgram(bind: Bind, context: CommandContext): Command {
  const program = newCommand('breakwater')
    .description(
      'Container registry that scans what it receives, and a scanner for images, layouts and directories.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .showSuggestionAfterError(true)
    .addHelpText(
      'after',
      '\nExit codes: 0 fine · 1 findings at or above --fail-on · 2 usage · 3 unreachable or unreadable · 4 advisories too old · 70 internal',
    );
  for (const command of [
    serveCommand(bind),
    scanCommand(bind),
    explainCommand(bind),
    advisoriesCommand(bind),
    doctorCommand(bind),
    backupCommand(bind),
    restoreCommand(bind),
  ]) {
    program.addCommand(command);
  }
  quieten(program, context);
  return program;
}

/** Commander's own messages become coded errors; help goes to our terminal. */
function quieten(command: Command, context: CommandContext): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => void context.terminal.out(text),
    writeErr: (text) => {
      // Help shown because no command was given; error texts come as exceptions.
      if (!text.startsWith('error:')) context.terminal.err(text);
    },
    outputError: () => undefined,
  });
  for (const child of command.commands) quieten(child, context);
}

function serveCommand(bind: Bind): Command {
  const command = newCommand('serve')
    .description('run the registry, the API, the page and the scanner')
    .addOption(configOption())
    .addOption(dataOption())
    .addOption(addressOption('--listen', 'address of the API and the page', '127.0.0.1:8080'))
    .addOption(addressOption('--registry-listen', 'address of the registry', '127.0.0.1:5000'))
    .option('--registry-url <url>', 'address of the registry as clients reach it, e.g. behind a proxy')
    .addOption(advisoriesOption())
    .option(
      '--advisories-update-every <hours>',
      'get new advisories this often (default never)',
      parsePositive,
    )
    .option('--advisories-source <source>', 'as --source of advisories update, repeatable', collect, [])
    .option('--advisories-mirror <url>', 'as --mirror of advisories update, repeatable', collect, [])
    .addOption(databaseOption())
    .addOption(roleOption())
    .option('--scan-concurrency <n>', 'images scanned at the same time', parsePositive, 2)
    .option(
      '--rescan-after <days>',
      'scan every image again this long after its scan when catalogers changed (default only recent ones)',
      parsePositive,
    )
    .option('--webhook-allow-private', 'let webhooks that ask for it reach private addresses')
    .option('--new-password', 'give the administrator a new password, shown once; ends the old one')
    .option('--no-sample', 'do not build and push the sample image on a new data directory')
    .option('--ready-json', 'print one line of JSON on stdout when ready, for scripts')
    .addOption(logLevelOption());
  return bind(command, async () => (await import('./commands/serve.ts')).serve);
}

function scanCommand(bind: Bind): Command {
  const command = newCommand('scan')
    .description(
      'find packages and known vulnerabilities in an image, an OCI layout, an archive or a directory',
    )
    .argument('<target>', 'image reference, oci:DIR[:TAG], docker-archive:FILE, dir:PATH or sbom:FILE')
    .addOption(configOption())
    .addOption(advisoriesOption())
    .addOption(ignoreFileOption())
    .addOption(vexOption())
    .option('--vex-from-registry', 'use VEX documents attached to the image too; they are not signed')
    .option('--attach <list>', 'push sbom,report (CycloneDX, SARIF) as referrers of the image')
    .option('--show-exempt', 'list exempt findings too, with who took them on, why and until when')
    .addOption(scannersOption())
    .option('--fail-on <severity>', 'end with 1 when a finding is at least this severe', parseSeverity)
    .option('--severity <list>', 'show only these severities, comma-separated', parseSeverities)
    .option('--fixable', 'show only findings with a fixed version')
    .option('--platform <os/arch>', 'one platform of an index, e.g. linux/amd64; all when left out')
    .option('--max-age <duration>', 'end with 4 when the advisories are older, e.g. 7d', parseDuration)
    .option('--offline', 'use no network: refuses image references')
    .option('--all', 'list every finding, not only what to fix first')
    .option('--quiet', 'no progress and no hints')
    .option(
      '--cache-dir <dir>',
      'where layer results are remembered (default $XDG_CACHE_HOME/breakwater/layers)',
    )
    .addOption(outputOption(FORMAT_NAMES, 'table'));
  return bind(command, async () => (await import('./commands/scan.ts')).scan);
}

function explainCommand(bind: Bind): Command {
  const command = newCommand('explain')
    .description('why a vulnerability is, or is not, a finding: file, layer, range, fix, exemption')
    .argument('<id>', 'vulnerability or advisory, e.g. CVE-2024-5535')
    .argument('<target>', 'as for scan')
    .addOption(configOption())
    .addOption(advisoriesOption())
    .addOption(ignoreFileOption())
    .addOption(vexOption())
    .option('--platform <os/arch>', 'one platform of an index, e.g. linux/amd64; all when left out')
    .option('--offline', 'use no network: refuses image references')
    .option('--quiet', 'no progress')
    .option('--cache-dir <dir>', 'where layer results are remembered (default $XDG_CACHE_HOME/breakwater)')
    .addOption(outputOption(['text', 'json'], 'text'));
  return bind(command, async () => (await import('./commands/explain.ts')).explain);
}

function advisoriesCommand(bind: Bind): Command {
  const formats = ['text', 'json'];
  const group = newCommand('advisories').description('get, build, publish and look into advisory files');
  group.addCommand(
    bind(
      newCommand('build')
        .description('compile directories or files of OSV records to one advisory file')
        .argument('<source...>', 'directory or file: .ndjson.gz, .ndjson, .json, .zip')
        .addOption(configOption())
        .option('--out <path>', 'the file to write')
        .option('--quiet', 'no progress')
        .addOption(outputOption(formats, 'text')),
      async () => (await import('./commands/advisories.ts')).build,
    ),
  );
  group.addCommand(
    bind(
      newCommand('update')
        .description('download advisories, or take them from a directory or an OCI artifact')
        .addOption(configOption())
        .option(
          '--source <source>',
          'https://… of a feed, DIR or FILE of OSV records, oci://REGISTRY/REPOSITORY:TAG; repeatable (default all feeds)',
          collect,
          [],
        )
        .option('--feed <list>', 'only these feeds, comma-separated, e.g. npm,debian,kev,epss', parseNames)
        .option(
          '--mirror <url>',
          'address to download from in place of the publishers, repeatable',
          collect,
          [],
        )
        .option('--out <path>', 'the file to write (default in $XDG_CACHE_HOME/breakwater, where scan looks)')
        .option('--data <dir>', 'put it also where the server of this data directory looks')
        .option('--quiet', 'no progress')
        .addOption(outputOption(formats, 'text')),
      async () => (await import('./commands/advisories-update.ts')).update,
    ),
  );
  group.addCommand(
    bind(
      newCommand('publish')
        .description('push the advisory file to a registry as an OCI artifact, for update --source oci://…')
        .option('--to <reference>', 'REGISTRY/REPOSITORY:TAG')
        .addOption(configOption())
        .addOption(advisoriesOption())
        .addOption(outputOption(formats, 'text')),
      async () => (await import('./commands/advisories-update.ts')).publish,
    ),
  );
  group.addCommand(
    bind(
      newCommand('status')
        .description('what an advisory file holds and how old it is')
        .addOption(configOption())
        .addOption(advisoriesOption())
        .option('--max-age <duration>', 'end with 4 when the file is older, e.g. 7d', parseDuration)
        .addOption(outputOption(formats, 'text')),
      async () => (await import('./commands/advisories.ts')).status,
    ),
  );
  group.addCommand(
    bind(
      newCommand('lookup')
        .description('what the advisories say about a package, or about one advisory')
        .argument(
          '<name>',
          'ECOSYSTEM/PACKAGE[@VERSION], e.g. npm/lodash@4.17.15 or Debian:12/openssl; or an advisory id',
        )
        .addOption(configOption())
        .addOption(advisoriesOption())
        .addOption(outputOption(formats, 'text')),
      async () => (await import('./commands/advisories.ts')).lookup,
    ),
  );
  return group;
}

function doctorCommand(bind: Bind): Command {
  const command = newCommand('doctor')
    .description('check this machine and the data directory, with the exact fix for what is missing')
    .addOption(configOption())
    .addOption(dataOption())
    .addOption(databaseOption())
    .addOption(advisoriesOption())
    .addOption(addressOption('--listen', 'address of the API', '127.0.0.1:8080'))
    .addOption(addressOption('--registry-listen', 'address of the registry', '127.0.0.1:5000'))
    .addOption(outputOption(['text', 'json'], 'text'));
  return bind(command, async () => (await import('./commands/doctor.ts')).doctor);
}

function backupCommand(bind: Bind): Command {
  const command = newCommand('backup')
    .description(
      'write a logical backup, from the running server or, when none runs, from the data directory',
    )
    .addOption(configOption())
    .option('--out <file>', 'the file to write')
    .option('--blobs', 'with the bytes of all images, not only metadata')
    .addOption(dataOption())
    .addOption(databaseOption())
    .option('--username <name>', 'user name for the running server', 'admin')
    .option(
      '--password-file <file>',
      'file with the password for the running server; or BREAKWATER_PASSWORD',
    );
  return bind(command, async () => (await import('./commands/backup.ts')).backup);
}

function restoreCommand(bind: Bind): Command {
  const command = newCommand('restore')
    .description('read a backup into a new data directory or an empty database')
    .argument('<file>', 'a file written by backup')
    .addOption(configOption())
    .addOption(dataOption())
    .addOption(databaseOption());
  return bind(command, async () => (await import('./commands/backup.ts')).restore);
}

function usageError(error: CommanderError): Error {
  const problem = error.message
    .replace(/^error: /, '')
    .split('\n')
    .filter(Boolean)
    .join(' ');
  return cliErrors.create('CLI_USAGE', {
    problem: problem === '(outputHelp)' ? 'a command is missing' : problem,
  });
}

/** Does the command write JSON to standard output? Looked up by hand, because parsing may be what failed. */
function wantsJson(argv: readonly string[]): boolean {
  return argv.some((argument, index) => {
    if (/^(-o|--output=)json(=-)?$/.test(argument)) return true;
    return argument === 'json' && /^(-o|--output)$/.test(argv[index - 1] ?? '');
  });
}
