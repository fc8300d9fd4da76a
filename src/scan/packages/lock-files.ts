// Every lock file that is read, with where it counts and why; docs/scanning.md shows the same table.
import type { Cataloger } from '../cataloger.ts';
import { readCargoLock } from './cargo-lock.ts';
import { readComposerLock } from './composer.ts';
import { readNugetLock, readPackagesConfig } from './dotnet/lock-files.ts';
import { readGemfileLock } from './gemfile-lock.ts';
import { lockFileCataloger, type LockFile } from './lock-file.ts';
import { readMixLock } from './mix-lock.ts';
import { readPackageLock } from './npm-lock.ts';
import { readPackageResolved } from './package-resolved.ts';
import { readPnpmLock } from './pnpm-lock.ts';
import { readPubspecLock } from './pubspec-lock.ts';
import { readPipfileLock, readPoetryLock, readPylock, readRequirements, readUvLock } from './python-lock.ts';
import { readYarnLock } from './yarn-lock.ts';

const PYTHON = 'In an image the metadata in site-packages says what is installed.';
const NODE = 'In an image the package.json of each folder in node_modules says what is installed.';

/** The table. `version` is to be raised whenever a format would give other packages. */
export const LOCK_FILES: readonly LockFile[] = [
  {
    name: 'cargo-lock',
    version: 1,
    fileNames: ['Cargo.lock'],
    scope: 'directory',
    reason:
      'It lists crates for all platforms and tests; in an image the audit data of each executable counts.',
    read: readCargoLock,
  },
  {
    name: 'composer-lock',
    version: 1,
    fileNames: ['composer.lock'],
    scope: 'directory',
    reason: 'In an image vendor/composer/installed.json says what is installed.',
    read: readComposerLock,
  },
  {
    name: 'gemfile-lock',
    version: 1,
    fileNames: ['Gemfile.lock', 'gems.locked'],
    scope: 'directory',
    reason: 'In an image the specification of each installed gem counts.',
    read: readGemfileLock,
  },
  {
    name: 'mix-lock',
    version: 1,
    fileNames: ['mix.lock'],
    scope: 'both',
    reason: 'A compiled Elixir application names its Hex packages nowhere else.',
    read: readMixLock,
  },
  {
    name: 'npm-lock',
    version: 1,
    fileNames: ['package-lock.json', 'npm-shrinkwrap.json'],
    scope: 'directory',
    reason: NODE,
    read: readPackageLock,
  },
  {
    name: 'nuget-config',
    version: 1,
    fileNames: ['packages.config'],
    scope: 'directory',
    reason: 'In an image the deps.json of each published program counts.',
    read: readPackagesConfig,
  },
  {
    name: 'nuget-lock',
    version: 1,
    fileNames: ['packages.lock.json'],
    scope: 'directory',
    reason: 'In an image the deps.json of each published program counts.',
    read: readNugetLock,
  },
  {
    name: 'package-resolved',
    version: 1,
    fileNames: ['Package.resolved'],
    scope: 'both',
    reason: 'A compiled Swift program names its packages nowhere else.',
    read: readPackageResolved,
  },
  {
    name: 'pipfile-lock',
    version: 1,
    fileNames: ['Pipfile.lock'],
    scope: 'directory',
    reason: PYTHON,
    read: readPipfileLock,
  },
  {
    name: 'pnpm-lock',
    version: 1,
    fileNames: ['pnpm-lock.yaml'],
    scope: 'directory',
    reason: NODE,
    read: readPnpmLock,
  },
  {
    name: 'poetry-lock',
    version: 1,
    fileNames: ['poetry.lock', 'pdm.lock'],
    scope: 'directory',
    reason: PYTHON,
    read: readPoetryLock,
  },
  {
    name: 'pubspec-lock',
    version: 1,
    fileNames: ['pubspec.lock'],
    scope: 'both',
    reason: 'A compiled Dart program names its packages nowhere else.',
    read: readPubspecLock,
  },
  {
    name: 'pylock',
    version: 1,
    fileNames: ['pylock.toml'],
    scope: 'directory',
    reason: PYTHON,
    read: readPylock,
  },
  {
    name: 'requirements',
    version: 1,
    fileNames: ['requirements.txt'],
    scope: 'directory',
    reason: `Only lines that pin with == count. ${PYTHON}`,
    read: readRequirements,
  },
  {
    name: 'uv-lock',
    version: 1,
    fileNames: ['uv.lock'],
    scope: 'directory',
    reason: PYTHON,
    read: readUvLock,
  },
  {
    name: 'yarn-lock',
    version: 1,
    fileNames: ['yarn.lock'],
    scope: 'directory',
    reason: NODE,
    read: readYarnLock,
  },
];

export const lockFiles: readonly Cataloger[] = LOCK_FILES.map(lockFileCataloger);
