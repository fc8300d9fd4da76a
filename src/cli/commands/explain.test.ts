// `breakwater explain`: golden texts for a finding, an exempt one and every negative, on the sample image.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordedRun } from '../testing/recorded-run.ts';
import { writeSampleLayout } from '../testing/sample-layout.ts';

describe('explain', () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-explain-'));
  const layout = join(folder, 'layout');
  const exemptions = join(folder, 'exemptions.yaml');
  const environment = { XDG_CACHE_HOME: join(folder, 'cache') };
  beforeAll(() => {
    writeSampleLayout(layout, 'latest');
    writeFileSync(
      exemptions,
      'exemptions:\n  - {vulnerability: CVE-2024-6119, reason: no client certificates, owner: shop, expires: 2999-01-01}\n',
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const explain = (...argv: string[]) => recordedRun(['explain', '--quiet', ...argv], environment);
  /** Without what changes from run to run: the folder, the age of the data, the sample's digests. */
  const stable = (text: string): string =>
    text
      .replaceAll(folder, 'FOLDER')
      .replace(/\d+ (h|days) old/g, 'N h old')
      .replace(/sha256:[0-9a-f]{64}/g, 'sha256:…');

  it.each([
    ['applies', ['CVE-2020-8203']],
    ['exempt', ['CVE-2024-6119', '--ignore-file', exemptions]],
    ['no-such-package', ['CVE-2021-3156']],
    ['no-such-advisory', ['CVE-1999-0001']],
  ])('says why: %s', async (name, [id = '', ...more]) => {
    const { code, out, err } = await explain(id, `oci:${layout}`, ...more);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    await expect(stable(out)).toMatchFileSnapshot(join(import.meta.dirname, `testdata/explain.${name}.txt`));
  });

  it('explains a version that is not affected', async () => {
    const project = join(folder, 'sbom.json');
    const component = { type: 'library', purl: 'pkg:npm/lodash@4.17.21' };
    writeFileSync(
      project,
      JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components: [component] }),
    );
    const { out } = await explain('CVE-2020-8203', `sbom:${project}`);
    await expect(stable(out)).toMatchFileSnapshot(
      join(import.meta.dirname, 'testdata/explain.not-affected.txt'),
    );
    const json: unknown = JSON.parse((await explain('CVE-2020-8203', `sbom:${project}`, '-o', 'json')).out);
    expect(json).toMatchObject({ outcome: 'not-affected', packages: [{ verdict: 'not-affected' }] });
  });

  it('has codes for what cannot be asked', async () => {
    expect((await explain('CVE-2020-8203')).code).toBe(2);
    expect((await explain('CVE-2020-8203', 'oci:/no/such/layout')).code).toBe(3);
  });
});
