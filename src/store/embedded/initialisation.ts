// First initialisation of the data folder: built aside, made durable, then put in place with one rename.
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openEngine } from './engine.ts';

/**
 * Makes the data folder. Runs in a process of its own, because initdb takes about 800 MB that are not given back.
 * An interrupted attempt leaves only a folder that the next attempt removes.
 */
export async function initialiseDatabase(
  directory: string,
  onFatal: (reason: string) => never,
): Promise<void> {
  const parent = dirname(directory);
  const prefix = `${basename(directory)}.new-`;
  for (const name of readdirSync(parent)) {
    if (name.startsWith(prefix)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  const aside = join(parent, `${prefix}${process.pid}`);
  mkdirSync(aside, { mode: 0o700 });
  const engine = await openEngine(aside, onFatal);
  await engine.pglite.exec('checkpoint');
  await engine.pglite.close();
  syncTree(aside);
  renameSync(aside, directory);
  syncPath(parent);
}

function syncTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) syncTree(path);
    else if (entry.isFile()) syncPath(path);
  }
  syncPath(directory);
}

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
