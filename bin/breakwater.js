#!/usr/bin/env node
// Starts the command line on Node 24 or newer: from the bundle when published, from source in the repository.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NEEDED = 24;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const major = Number(process.versions.node.split('.')[0]);

if (major >= NEEDED) {
  const source = join(root, 'src/cli/main.ts');
  await import(pathToFileURL(existsSync(source) ? source : join(root, 'dist/cli.js')).href);
} else {
  startOnPinnedNode();
}

/** `npm ci` installs a Node 24 as a development dependency; the same command runs on it. */
function startOnPinnedNode() {
  const pinned = join(root, 'node_modules/.bin/node');
  if (!existsSync(pinned)) {
    process.stderr.write(
      `error: Node.js ${process.versions.node} is too old: Breakwater needs ${NEEDED} or newer\n` +
        'do:    Run "npm ci" in the repository (it installs a matching Node.js), or install Node.js 24.\n' +
        'code:  CLI_NODE_TOO_OLD\n',
    );
    process.exitCode = 70;
    return;
  }
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // The child decides how to end. Ctrl-C reaches it from the terminal; other signals to this process are passed on.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`error: cannot start ${pinned}: ${error.message}\ncode:  CLI_NODE_TOO_OLD\n`);
    process.exitCode = 70;
  });
  child.on('exit', (code, signal) => {
    if (signal !== null) process.kill(process.pid, signal);
    else process.exitCode = code ?? 70;
  });
}
