// Error catalogue of the command line.
import { defineErrors } from '../core/index.ts';

export const cliErrors = defineErrors('cli', {
  CLI_USAGE: {
    status: 400,
    message: '{problem}',
    hint: 'Run the command with --help to see its options.',
    exit: 2,
  },
  CLI_CONFIGURATION_UNREADABLE: {
    status: 400,
    message: 'cannot read the configuration file {file}: {reason}',
    hint: 'Check the path given with --config or BREAKWATER_CONFIG, and that this user may read it.',
    exit: 2,
  },
  CLI_CONFIGURATION_INVALID: {
    status: 400,
    message: 'the configuration file {file} is not valid: {reason}',
    hint: 'Keys are the long option names, at the top level or under the name of a command, e.g. "scan:" then "fail-on: high".',
    exit: 2,
  },
  CLI_OUTPUT_INVALID: {
    status: 400,
    message: 'cannot understand -o {value}: {reason}',
    hint: 'Use -o FORMAT or -o FORMAT=FILE with one of: {formats}. At most one format goes to standard output.',
    exit: 2,
  },
  CLI_OUTPUT_FAILED: {
    status: 500,
    message: 'cannot write {file}: {reason}',
    hint: 'Check that the folder exists, that this user may write to it, and that the disk is not full.',
    exit: 3,
  },
  CLI_TARGET_UNSUPPORTED: {
    status: 400,
    message: 'cannot scan {target}: {reason}',
    hint: 'Targets are an image reference (registry.example/name:tag), oci:DIR[:TAG], docker-archive:FILE, dir:PATH or sbom:FILE.',
    exit: 2,
  },
  CLI_ADVISORIES_TOO_OLD: {
    status: 409,
    message: 'the advisories are {age} old, more than --max-age {limit} allows',
    hint: 'Run "breakwater advisories update", or give a newer file with --advisories PATH.',
    exit: 4,
  },
  CLI_SERVER_UNREACHABLE: {
    status: 502,
    message: 'the server of {directory} is running but its API at {address} cannot be used: {reason}',
    hint: 'Give the administrator credential with --username and --password-file (or BREAKWATER_PASSWORD), or stop the server and run the command again.',
    exit: 3,
  },
  CLI_FILE_UNREADABLE: {
    status: 400,
    message: 'cannot read {file}: {reason}',
    hint: 'Check the path and that this user may read it.',
    exit: 3,
  },
  CLI_RESTORE_RUNNING: {
    status: 409,
    message: 'the data directory {directory} is in use by the server with process id {pid}',
    hint: 'Stop the server first, or restore into another directory with --data DIR.',
    exit: 2,
  },
  CLI_SAMPLE_FAILED: {
    status: 500,
    message: 'the sample image could not be pushed and scanned: {reason}',
    hint: 'The server runs and can be used. "breakwater doctor" checks the installation; --no-sample leaves the sample out.',
  },
  CLI_NODE_TOO_OLD: {
    status: 500,
    message: 'Node.js {found} is too old: Breakwater needs 24 or newer',
    hint: 'Run "npm ci" in the repository (it installs a matching Node.js), or install Node.js 24.',
    exit: 70,
  },
});
