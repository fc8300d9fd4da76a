// Tests of secret files: made once, whole, for the owner only.
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger, systemRandomness } from '../core/index.ts';
import { identityErrors } from './errors.ts';
import { createKeyDirectory, readOrCreateKeyFile } from './key-files.ts';
import { makeSigningKeyFile, parseSigningKey } from './signing-key.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'breakwater-keys-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const open = (path: string, bytes: () => Buffer) =>
  readOrCreateKeyFile(path, () => Promise.resolve(bytes()), systemRandomness, silentLogger());

describe('readOrCreateKeyFile', () => {
  it('gives everybody the same bytes when many start at once, and leaves only the key', async () => {
    const path = join(directory, 'keys', 'pepper');
    await createKeyDirectory(join(directory, 'keys'));
    const all = await Promise.all(
      Array.from({ length: 20 }, () => open(path, () => systemRandomness.bytes(32))),
    );
    for (const bytes of all) expect(bytes).toEqual(all[0]);
    expect(await readFile(path)).toEqual(all[0]);
    expect(await readdir(join(directory, 'keys'))).toEqual(['pepper']);
  });

  it('makes file and directory readable by the owner only', async () => {
    const keys = join(directory, 'keys');
    await createKeyDirectory(keys);
    await open(join(keys, 'pepper'), () => Buffer.alloc(32, 1));
    expect((await stat(join(keys, 'pepper'))).mode & 0o777).toBe(0o600);
    expect((await stat(keys)).mode & 0o777).toBe(0o700);
  });

  it('closes a key file that others could read', async () => {
    const path = join(directory, 'pepper');
    await writeFile(path, Buffer.alloc(32, 7));
    await chmod(path, 0o644);
    expect(await open(path, () => Buffer.alloc(32, 1))).toEqual(Buffer.alloc(32, 7));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('refuses what cannot be a key file, with a code', async () => {
    const huge = join(directory, 'huge');
    await writeFile(huge, Buffer.alloc(100_000), { mode: 0o600 });
    const error = await open(huge, () => Buffer.alloc(1)).catch((thrown: unknown) => thrown);
    expect(identityErrors.is(error, 'IDENTITY_KEY_UNREADABLE')).toBe(true);
    const folder = await open(directory, () => Buffer.alloc(1)).catch((thrown: unknown) => thrown);
    expect(identityErrors.is(folder, 'IDENTITY_KEY_UNREADABLE')).toBe(true);
  });
});

describe('parseSigningKey', () => {
  it('reads what it made, under the same name each time', async () => {
    const bytes = await makeSigningKeyFile();
    const [first, second] = await Promise.all([parseSigningKey(bytes, 'k'), parseSigningKey(bytes, 'k')]);
    expect(first.kid).toBe(second.kid);
    expect(first.kid).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it.each(['', '{}', 'not json', '[]', '{"kty":"oct","k":"c2VjcmV0"}', '{"kty":"EC","crv":"P-384"}'])(
    'refuses %j without quoting it',
    async (text) => {
      const error = await parseSigningKey(Buffer.from(text), 'k').catch((thrown: unknown) => thrown);
      expect(identityErrors.is(error, 'IDENTITY_KEY_UNREADABLE')).toBe(true);
      expect(String(error)).not.toContain('c2VjcmV0');
    },
  );

  it('refuses a private number that does not belong to the point', async () => {
    const first = JSON.parse((await makeSigningKeyFile()).toString());
    const second = JSON.parse((await makeSigningKeyFile()).toString());
    const mixed = Buffer.from(JSON.stringify({ ...first, d: second.d }));
    const error = await parseSigningKey(mixed, 'k').catch((thrown: unknown) => thrown);
    expect(identityErrors.is(error, 'IDENTITY_KEY_UNREADABLE')).toBe(true);
  });
});
