// The command tree: help, version, usage errors, exit codes; run in this process with a recording terminal.
import { describe, expect, it } from 'vitest';
import { recordedRun } from './testing/recorded-run.ts';
import { VERSION } from './version.ts';

const run = (...argv: string[]) => recordedRun(argv);

describe('breakwater', () => {
  it('prints its version and help', async () => {
    expect(await run('--version')).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
    const help = await run('--help');
    expect(help.code).toBe(0);
    for (const command of ['serve', 'scan', 'advisories', 'doctor', 'backup', 'restore'])
      expect(help.out).toContain(command);
  });

  it('shows each option with its environment variable', async () => {
    const { out } = await run('serve', '--help');
    expect(out).toContain('BREAKWATER_REGISTRY_LISTEN');
    expect(out).toContain('127.0.0.1:8080');
    expect(out).not.toMatch(/BREAKWATER_(HELP|VERSION)/);
  });

  it.each([
    [['scna']],
    [['scan']],
    [['scan', '--fail-on', 'urgent', 'dir:.']],
    [['scan', '--no-such-option', 'dir:.']],
    [['scan', '-o', 'xml', 'dir:.']],
    [['scan', 'sbom:']],
    [['serve', '--role', 'boss']],
    [['serve', '--listen', 'nowhere']],
    [['advisories', 'build', 'somewhere']],
    [[]],
  ])('ends %j with 2', async (argv) => {
    const { code, out, err } = await run(...argv);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(/code: {2}(CLI|OCI)_/);
  });

  it('shows errors as JSON where the command writes JSON', async () => {
    const { code, err } = await run('scan', 'sbom:', '-o', 'json');
    expect(code).toBe(2);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'CLI_TARGET_UNSUPPORTED' } });
  });

  it('ends with 3 when the target cannot be read', async () => {
    expect((await run('scan', 'dir:/nonexistent/place')).code).toBe(3);
    expect((await run('scan', 'oci:/nonexistent/place')).code).toBe(3);
    expect((await run('scan', 'sbom:/nonexistent/place')).code).toBe(3);
    expect((await run('scan', 'dir:.', '--vex', '/nonexistent/place')).code).toBe(3);
    expect((await run('scan', 'dir:.', '--ignore-file', '/nonexistent/place')).code).toBe(3);
  });

  it('ends with 4 when the advisories are too old, and says the built-in set is a starter', async () => {
    const { code, out, err } = await run('advisories', 'status', '--max-age', '1m');
    expect(out).toContain('starter advisories:');
    expect(code).toBe(4);
    expect(err).toContain('CLI_ADVISORIES_TOO_OLD');
  });

  it('looks up what is known of a package and version', async () => {
    const { code, out } = await run('advisories', 'lookup', 'npm/lodash@4.17.15', '-o', 'json');
    expect(code).toBe(0);
    const found: unknown = JSON.parse(out);
    expect(found).toMatchObject({ kind: 'package', version: '4.17.15' });
    expect(JSON.stringify(found)).toContain('CVE-2021-23337');
    expect((await run('advisories', 'lookup', 'Slackware/bash')).out).toContain(
      'not the same as not affected',
    );
  });
});
