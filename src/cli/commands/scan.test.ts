// `breakwater scan` from its arguments to its output and exit code, on a layout, a directory and what cannot be read.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { recordedRun } from '../testing/recorded-run.ts';
import { writeSampleLayout } from '../testing/sample-layout.ts';

const reportShape = z.object({
  status: z.string(),
  image: z.object({ digest: z.string(), layers: z.array(z.object({ cached: z.boolean() })) }).nullable(),
  distribution: z.unknown(),
  packages: z.array(z.unknown()),
  findings: z.array(
    z.looseObject({
      id: z.string(),
      severity: z.string(),
      fixed: z.string().nullable(),
      package: z.string(),
    }),
  ),
  advisories: z.object({ kind: z.string(), notices: z.array(z.string()) }),
});

describe('scan', () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-scan-'));
  const layout = join(folder, 'layout');
  const environment = { XDG_CACHE_HOME: join(folder, 'cache') };
  let digest: string;
  beforeAll(() => {
    digest = writeSampleLayout(layout, 'latest');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const scan = (...argv: string[]) => recordedRun(['scan', ...argv], environment);
  const json = async (...argv: string[]) => {
    const { code, out } = await scan(...argv, '-o', 'json');
    return { code, report: reportShape.parse(JSON.parse(out)) };
  };

  it('leads with what to fix first and keeps hints off standard output', async () => {
    const { code, out, err } = await scan(`oci:${layout}:latest`);
    expect(code).toBe(0);
    expect(out.indexOf('FIX FIRST')).toBeGreaterThan(0);
    expect(out.indexOf('FIX FIRST')).toBeLessThan(out.indexOf('SEVERITY'));
    expect(out).toContain('starter advisories');
    expect(out).not.toContain('Next:');
    expect(err).toContain('Next:');
    expect(err).toMatch(/^oci:\S+: 3 layers \(\d known\), \d+ packages in \d+\.\d s\n/);
    expect((await scan(`oci:${layout}:latest`, '--quiet')).err).toBe('');
  });

  it('remembers layers in the cache directory', async () => {
    await json(`oci:${layout}`);
    const { report } = await json(`oci:${layout}`);
    expect(report.image?.digest).toBe(digest);
    expect(report.image?.layers.every((layer) => layer.cached)).toBe(true);
    expect(readdirSync(join(folder, 'cache', 'breakwater', 'layers')).length).toBe(3);
  });

  it('writes several formats at once, at most one to standard output', async () => {
    const file = (name: string): string => join(folder, name);
    const outputs = ['sarif', 'cyclonedx', 'spdx', 'csv', 'markdown', 'junit', 'json'].flatMap((name) => [
      '-o',
      `${name}=${file(name)}`,
    ]);
    const { code, out } = await scan(`oci:${layout}`, ...outputs, '-o', 'table');
    expect(code).toBe(0);
    expect(out).toContain('FIX FIRST');
    expect(JSON.parse(readFileSync(file('sarif'), 'utf8'))).toMatchObject({ version: '2.1.0' });
    expect(JSON.parse(readFileSync(file('cyclonedx'), 'utf8'))).toMatchObject({ specVersion: '1.6' });
    expect(JSON.parse(readFileSync(file('spdx'), 'utf8'))).toMatchObject({ spdxVersion: 'SPDX-2.3' });
    for (const name of ['csv', 'markdown', 'junit'])
      expect(readFileSync(file(name), 'utf8')).toContain('lodash');
    const failed = await scan(`oci:${layout}`, '-o', `json=${join(folder, 'no', 'such', 'folder', 'x')}`);
    expect([failed.code, failed.err]).toEqual([3, expect.stringContaining('CLI_OUTPUT_FAILED')]);
  });

  it('ends with 1 at the threshold, 0 below it', async () => {
    const { code, err } = await scan(`oci:${layout}`, '--fail-on', 'critical');
    expect(code).toBe(1);
    expect(err).toMatch(/exit 1: \d+ findings at or above --fail-on critical/);
    expect((await scan(`oci:${layout}`, '--fail-on', 'critical', '--severity', 'medium')).code).toBe(0);
    expect(
      (await recordedRun(['scan', `oci:${layout}`], { ...environment, BREAKWATER_FAIL_ON: 'high' })).code,
    ).toBe(1);
  });

  it('says what a filter hides', async () => {
    const all = (await json(`oci:${layout}`)).report;
    const { report } = await json(`oci:${layout}`, '--severity', 'critical', '--fixable');
    expect(
      report.findings.every((finding) => finding.severity === 'critical' && finding.fixed !== null),
    ).toBe(true);
    const hidden = all.findings.length - report.findings.length;
    expect(report.advisories.notices.at(-1)).toBe(
      `${hidden} findings are not shown (--severity critical --fixable)`,
    );
  });

  it('scans a directory', async () => {
    const project = join(folder, 'project');
    mkdirSync(join(project, 'node_modules', 'minimist'), { recursive: true });
    writeFileSync(
      join(project, 'node_modules', 'minimist', 'package.json'),
      '{"name":"minimist","version":"1.2.0"}',
    );
    const { code, report } = await json(`dir:${project}`, '--offline');
    expect(code).toBe(0);
    expect(new Set(report.findings.map((finding) => finding.id))).toEqual(
      new Set(['CVE-2020-7598', 'CVE-2021-44906']),
    );
  });

  it('counts what is exempt, shows it when asked, and does not fail on it', async () => {
    const all = (await json(`oci:${layout}`)).report.findings;
    const ids = [...new Set(all.map((finding) => finding.id))];
    const file = join(folder, 'exemptions.yaml');
    const entries = ids.map(
      (id) => `  - {vulnerability: ${id}, reason: r, owner: me, expires: 2999-01-01}\n`,
    );
    writeFileSync(
      file,
      `exemptions:\n${entries.join('')}  - {package: none, reason: r, owner: me, expires: 2999-01-01}\n`,
    );
    const options = ['--ignore-file', file, '--fail-on', 'low'];
    const { code, out } = await scan(`oci:${layout}`, ...options);
    expect(code).toBe(0);
    expect(out).toContain(`${all.length} exempt, --show-exempt`);
    expect(out).toContain(`exemption ${file}:${ids.length + 2} (none) covers no finding here`);
    const shown = await scan(`oci:${layout}`, ...options, '--show-exempt');
    expect(shown.out).toContain(`EXEMPT (${all.length})`);
    expect(shown.out).toContain('r (me, until 2999-01-01, exemption');
    writeFileSync(
      file,
      `exemptions:\n  - {vulnerability: ${ids[0]}, reason: r, owner: me, expires: 2020-01-01}\n`,
    );
    const past = await scan(`oci:${layout}`, ...options);
    expect(past.code).toBe(1);
    expect(past.out).toContain('expired after 2020-01-01');
    writeFileSync(file, 'exemptions:\n  - {vulnerability: x, until: never}\n');
    const wrong = await scan(`oci:${layout}`, ...options);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('line 2: unknown key "until"');
  });

  it.each(['cyclonedx', 'spdx'])('finds the same in its own %s document', async (format) => {
    const file = join(folder, `sbom.${format}.json`);
    await scan(`oci:${layout}`, '-o', `${format}=${file}`);
    const image = (await json(`oci:${layout}`)).report;
    const { code, report } = await json(`sbom:${file}`, '--offline');
    expect(code).toBe(0);
    expect(report.findings.length).toBeGreaterThan(3);
    const withoutDigest = (finding: object) => ({ ...finding, layerDigest: null });
    expect(report.findings.map(withoutDigest)).toEqual(image.findings.map(withoutDigest));
    expect(report.packages).toEqual(image.packages);
    expect(report.distribution).toEqual(image.distribution);
  });

  it('has codes for what is not there', async () => {
    expect((await scan('oci:/no/such/layout')).code).toBe(3);
    expect((await scan(`oci:${layout}:no-such-tag`)).code).toBe(3);
    expect((await scan(`oci:${layout}`, '--platform', 'linux/s390x')).code).not.toBe(0);
    expect((await scan(`oci:${layout}`, '--advisories', join(folder, 'nothing'))).code).toBe(3);
    expect((await scan('127.0.0.1:1/app:1')).code).toBe(3);
    expect((await scan('alpine', '--offline')).code).toBe(2);
  });
});
