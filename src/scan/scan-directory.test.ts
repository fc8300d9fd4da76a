// Scans of directories: packages found, links not followed, what cannot be read said.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scanDirectory } from './scan-directory.ts';
import { affects, buildAdvisories, BUILT_AT, type TestAdvisoryFile } from './testing.ts';

let directory: string;
let file: TestAdvisoryFile;
const clock = { now: () => BUILT_AT };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'breakwater-directory-'));
  file = await buildAdvisories([{ id: 'CVE-2021-23337', affected: [affects('npm', 'lodash', '4.17.21')] }]);
});
afterEach(async () => {
  file.remove();
  await rm(directory, { recursive: true, force: true });
});

async function write(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), content);
}

describe('scanning a directory', () => {
  it('finds packages and does not follow links out of it', async () => {
    await write('in/app/node_modules/lodash/package.json', '{"name":"lodash","version":"4.17.15"}');
    await write('out/node_modules/secret/package.json', '{"name":"secret","version":"1.0.0"}');
    await symlink(join(directory, 'out'), join(directory, 'in', 'link'));
    await symlink(join(directory, 'in'), join(directory, 'named'));
    const report = await scanDirectory(join(directory, 'named'), { advisories: file.advisories, clock });
    expect(report).toMatchObject({
      target: `dir:${join(directory, 'named')}`,
      status: 'finished',
      image: null,
      packages: [{ name: 'lodash', path: 'app/node_modules/lodash/package.json', layer: 0 }],
      findings: [{ id: 'CVE-2021-23337', layer: 0, layerDigest: null }],
      problems: [],
    });
  });

  it('reads lock files of a project folder, and lists once what is installed beside them', async () => {
    const packages = {
      'node_modules/lodash': { version: '4.17.15' },
      'node_modules/a': { version: '1.0.0' },
    };
    await write('app/package-lock.json', JSON.stringify({ lockfileVersion: 3, packages }));
    await write('app/node_modules/lodash/package.json', '{"name":"lodash","version":"4.17.15"}');
    await write('app/node_modules/lodash/yarn.lock', 'b@^1:\n  version "1.0.0"\n');
    const report = await scanDirectory(directory, { advisories: file.advisories, clock });
    expect(report.packages.map(({ name, path }) => `${name} ${path}`)).toEqual([
      'a app/package-lock.json',
      'lodash app/node_modules/lodash/package.json',
    ]);
    expect(report.findings).toHaveLength(1);
  });

  it('reads a root file system as the image it was: what is installed, not what is locked', async () => {
    await write('etc/os-release', 'ID=debian\nVERSION_ID=12\nPRETTY_NAME="Debian 12"\n');
    await write('app/Cargo.lock', '[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "registry"\n');
    await write('app/mix.lock', '%{\n  "phoenix": {:hex, :phoenix, "1.5.8", "a"},\n}\n');
    const report = await scanDirectory(directory, { advisories: file.advisories, clock });
    expect(report.packages.map((item) => item.name)).toEqual(['phoenix']);
    expect(report.distribution?.id).toBe('debian');
  });

  it('says what it could not read', async () => {
    await write('node_modules/a/package.json', '{');
    await write('node_modules/b/package.json', Buffer.alloc(5_000_000, 0x20));
    const report = await scanDirectory(directory, { advisories: file.advisories, clock });
    expect(report.problems.map(({ code, path }) => `${code} ${path}`).toSorted()).toEqual([
      'SCAN_FILE_TOO_LARGE node_modules/b/package.json',
      'SCAN_UNREADABLE_METADATA node_modules/a/package.json',
    ]);
  });

  it('rejects what is no directory', async () => {
    await write('file', '');
    for (const path of [join(directory, 'file'), join(directory, 'nothing')]) {
      await expect(scanDirectory(path, { advisories: file.advisories, clock })).rejects.toMatchObject({
        code: 'SCAN_TARGET_UNREADABLE',
      });
    }
  });
});
