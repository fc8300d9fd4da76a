// Credentials from docker's and podman's files, and challenges.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BreakwaterError } from '../../core/index.ts';
import { parseChallenges } from './challenge.ts';
import { credentialFiles, findCredential } from './credentials.ts';

describe('findCredential', () => {
  let home = '';

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'breakwater-credentials-'));
  });

  afterEach(async () => {
    await rm(home, { recursive: true, force: true });
  });

  const put = async (path: string, value: unknown): Promise<string> => {
    const full = join(home, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, typeof value === 'string' ? value : JSON.stringify(value));
    return full;
  };
  const auth = (text: string): object => ({ auth: Buffer.from(text).toString('base64') });
  const basic = (username: string, password: string): object => ({ kind: 'basic', username, password });

  it('reads docker and podman files, the longest key first', async () => {
    await put('.docker/config.json', {
      auths: {
        'https://index.docker.io/v1/': auth('hub:pass:with:colons'),
        'registry.test:5000': { identitytoken: 'refresh', ...auth('u:ignored') },
        'other.test': auth('docker:x'),
      },
      credsStore: 'desktop',
    });
    await put('.config/containers/auth.json', {
      auths: { 'other.test': auth('podman:x'), 'other.test/team': auth('team:y'), broken: { auth: '%%%' } },
    });
    const find = (registry: string, repository: string): Promise<unknown> =>
      findCredential(registry, repository, { HOME: home });
    expect(await find('docker.io', 'library/debian')).toEqual(basic('hub', 'pass:with:colons'));
    expect(await find('registry.test:5000', 'app')).toEqual({ kind: 'identity-token', token: 'refresh' });
    expect(await find('other.test', 'app')).toEqual(basic('podman', 'x'));
    expect(await find('other.test', 'team/app')).toEqual(basic('team', 'y'));
    expect(await find('other.test', 'teams/app')).toEqual(basic('podman', 'x'));
    expect(await find('registry.test', 'app')).toBeNull();
    expect(await find('broken', 'app')).toBeNull();
  });

  it('looks where the login commands of this user write', () => {
    const own = ['/h/.config/containers/auth.json', '/h/.docker/config.json'];
    expect(credentialFiles({ HOME: '/h', XDG_RUNTIME_DIR: '/run/user/7' }, 7)).toEqual([
      '/run/user/7/containers/auth.json',
      ...own,
    ]);
    expect(credentialFiles({ HOME: '/h' }, 7)).toEqual(['/run/containers/7/auth.json', ...own]);
    expect(credentialFiles({ HOME: '/h', REGISTRY_AUTH_FILE: '/f' }, 7)).toEqual(['/f']);
  });

  it('reads only REGISTRY_AUTH_FILE when it is set', async () => {
    await put('.docker/config.json', { auths: { 'a.test': auth('docker:x') } });
    const file = await put('own.json', { auths: { 'b.test': { username: 'u', password: '' } } });
    const environment = { HOME: home, REGISTRY_AUTH_FILE: file };
    expect(await findCredential('a.test', 'x', environment)).toBeNull();
    expect(await findCredential('b.test', 'x', environment)).toEqual(basic('u', ''));
    expect(
      await findCredential('a.test', 'x', { HOME: home, REGISTRY_AUTH_FILE: join(home, 'none') }),
    ).toBeNull();
  });

  it('refuses unreadable files without repeating their content', async () => {
    for (const text of ['{"auths":', 'secret-password', '['.repeat(1000), 'x'.repeat(2 << 20)]) {
      const file = await put('bad.json', text);
      const attempt = findCredential('a.test', 'x', { REGISTRY_AUTH_FILE: file });
      await expect(attempt).rejects.toMatchObject({ code: 'OCI_CREDENTIALS_INVALID' });
      await expect(attempt).rejects.not.toThrow(/secret-password/);
    }
  });

  it('answers any JSON with a credential, null or a coded error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (entry) => {
        const file = await put('any.json', { auths: { 'a.test': entry } });
        await findCredential('a.test', 'x', { REGISTRY_AUTH_FILE: file }).catch((error: unknown) =>
          expect(error).toBeInstanceOf(BreakwaterError),
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe('parseChallenges', () => {
  const parse = (header: string): unknown =>
    parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

  it('reads what registries send', () => {
    expect(parse('Bearer realm="https://r/token",service="r",scope="repository:a:pull,push"')).toEqual([
      ['bearer', { realm: 'https://r/token', service: 'r', scope: 'repository:a:pull,push' }],
    ]);
    expect(parse('Basic realm="x \\"y\\"", charset=UTF-8')).toEqual([
      ['basic', { realm: 'x "y"', charset: 'UTF-8' }],
    ]);
    expect(parse('BASIC realm=a, Bearer realm=https://b/t ,service = c')).toEqual([
      ['basic', { realm: 'a' }],
      ['bearer', { realm: 'https://b/t', service: 'c' }],
    ]);
    expect(parse('Negotiate')).toEqual([['negotiate', {}]]);
    expect(parse('')).toEqual([]);
    expect(parse('=;"')).toEqual([]);
  });

  it('ends for any header', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'aB =",\\;\t'), maxLength: 300 }),
        (text) => void parse(text),
      ),
    );
    const started = performance.now();
    parse(`Bearer realm="${'\\a'.repeat(100_000)}`);
    parse(' ,'.repeat(100_000));
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
