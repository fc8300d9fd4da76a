// Push a real image, see what is wrong with it: debootstrap plus npm, pushed by skopeo, read back through API and command line.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findTool } from '../scripts/tools.ts';
import {
  debianImage,
  debianImageMissing,
  dpkgPackages,
  npmPackages,
  writeOciLayout,
} from './fixtures/debian-image.ts';
import { run } from './fixtures/program.ts';
import { openTestPlace, type TestPlace } from '../src/store/testing.ts';
import { databaseOf } from './fixtures/server-database.ts';
import { eventually, startTestServer, type TestServer } from './fixtures/server.ts';

const root = join(import.meta.dirname, '..');
const advisoryData = join(root, '../shared/advisories');
const missing =
  debianImageMissing() ??
  (findTool('skopeo') === undefined ? 'skopeo is not installed' : undefined) ??
  (existsSync(advisoryData) ? undefined : 'there is no advisory data at ../shared/advisories');

const packageShape = z.object({
  kind: z.string(),
  name: z.string(),
  version: z.string(),
  purl: z.string(),
  layer: z.number(),
  path: z.string(),
});
const findingShape = z.object({
  id: z.string(),
  aliases: z.array(z.string()),
  package: z.string(),
  purl: z.string(),
  installed: z.string(),
  fixed: z.string().nullable(),
  severity: z.string(),
  layer: z.number(),
  layerDigest: z.string().nullable(),
});
const imageShape = z.object({
  digest: z.string(),
  scan: z.object({ status: z.string() }),
  packages: z.array(packageShape),
  findings: z.array(findingShape),
});
const reportShape = z.object({ packages: z.array(packageShape), findings: z.array(findingShape) });

/** What the shared advisory data says about the two packages of the npm layer. */
const EXPECTED: readonly (readonly [
  id: string,
  name: string,
  installed: string,
  fixed: string,
  severity: string,
])[] = [
  ['CVE-2020-8203', 'lodash', '4.17.15', '4.17.19', 'high'],
  ['CVE-2021-23337', 'lodash', '4.17.15', '4.17.21', 'high'],
  ['CVE-2020-28500', 'lodash', '4.17.15', '4.17.21', 'medium'],
  ['CVE-2020-7598', 'minimist', '1.2.0', '1.2.3', 'medium'],
  ['CVE-2021-44906', 'minimist', '1.2.0', '1.2.6', 'critical'],
];

/** A record of the data that has no alias joining it to one of the above. */
const ALSO_IN_THE_DATA = ['NSWG-ECO-516'];

describe.skipIf(missing !== undefined)(
  `push a real image, see what is wrong with it${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'breakwater-acceptance-'));
    const layout = join(directory, 'layout');
    const advisories = join(directory, 'advisories.bwadv');
    let place: TestPlace;
    let server: TestServer;
    let digest: string;
    let image: z.infer<typeof imageShape>;
    let layerDigests: string[];
    let files: Awaited<ReturnType<typeof debianImage>>;

    beforeAll(async () => {
      files = await debianImage();
      layerDigests = [files.debian.digest, files.npm.digest];
      digest = writeOciLayout(
        layout,
        [files.debian, files.npm],
        ['debootstrap', 'npm install lodash@4.17.15 minimist@1.2.0'],
      );
      await run(process.execPath, [
        join(root, 'bin/breakwater.js'),
        'advisories',
        'build',
        advisoryData,
        '--out',
        advisories,
      ]);
      place = await openTestPlace();
      server = await startTestServer({
        data: place.options.dataDirectory,
        env: databaseOf(place),
        args: ['--advisories', advisories],
      });
      const { username, password } = server.credential;
      await run('skopeo', [
        'copy',
        '--dest-tls-verify=false',
        `--dest-creds=${username}:${password}`,
        `oci:${layout}:latest`,
        `docker://${server.registry}/shop/cart:1.4`,
      ]);
      const answer = await eventually(
        () => server.json(`/api/v1/images/${digest}`),
        (body) => imageShape.safeParse(body).data?.scan.status === 'finished',
        10_000,
        'the scan',
      );
      image = imageShape.parse(answer);
    }, 300_000);

    afterAll(async () => {
      await server?.stop();
      await place?.remove();
      rmSync(directory, { recursive: true, force: true });
    });

    it('lists the Debian packages that dpkg lists', () => {
      const found = image.packages
        .filter((entry) => entry.kind === 'dpkg')
        .map((entry) => `${entry.name} ${entry.version}`);
      expect(found.toSorted()).toEqual(dpkgPackages(files.rootfs));
    });

    it('lists the npm packages that npm lists', () => {
      const found = image.packages
        .filter((entry) => entry.kind === 'npm')
        .map((entry) => `${entry.name} ${entry.version}`);
      expect(found.toSorted()).toEqual(npmPackages(files.application));
    });

    it.each(EXPECTED)('finds %s in %s %s, fixed in %s, %s', (id, name, installed, fixed, severity) => {
      const finding = image.findings.find((entry) => entry.id === id && entry.package === name);
      expect(finding).toMatchObject({ installed, fixed, severity, layer: 1, layerDigest: layerDigests[1] });
    });

    it('finds nothing else in the npm layer', () => {
      const known = new Set([...EXPECTED.map(([id]) => id), ...ALSO_IN_THE_DATA]);
      const others = image.findings.filter(
        (entry) => entry.purl.startsWith('pkg:npm/') && !known.has(entry.id),
      );
      expect(others.map((entry) => `${entry.id} ${entry.package}`)).toEqual([]);
    });

    it('reports open Debian vulnerabilities, with no fixed version that is already installed', () => {
      const debian = image.findings.filter((entry) => entry.purl.startsWith('pkg:deb/'));
      expect(debian.length).toBeGreaterThan(20);
      expect(debian.every((entry) => entry.layer === 0 && entry.layerDigest === layerDigests[0])).toBe(true);
      expect(debian.filter((entry) => entry.fixed === entry.installed)).toEqual([]);
    });

    it('gives the same findings from the command line, by reference and as an OCI layout', async () => {
      const cli = (target: string, env: Record<string, string> = {}): Promise<string> =>
        run(
          process.execPath,
          [
            join(root, 'bin/breakwater.js'),
            'scan',
            target,
            '--advisories',
            advisories,
            '-o',
            'json',
            '--cache-dir',
            join(directory, 'cache'),
          ],
          { env },
        );
      const authFile = join(directory, 'auth.json');
      const { username, password } = server.credential;
      await run(
        'skopeo',
        [
          'login',
          '--tls-verify=false',
          `--authfile=${authFile}`,
          '-u',
          username,
          '--password-stdin',
          server.registry,
        ],
        {
          input: password,
        },
      );
      const key = (finding: z.infer<typeof findingShape>): string =>
        [finding.id, finding.purl, finding.installed, finding.fixed, finding.severity, finding.layer].join(
          ' ',
        );
      const expected = image.findings.map(key).toSorted();
      const byLayout = reportShape.parse(JSON.parse(await cli(`oci:${layout}:latest`)));
      const byReference = reportShape.parse(
        JSON.parse(await cli(`${server.registry}/shop/cart:1.4`, { REGISTRY_AUTH_FILE: authFile })),
      );
      expect(byLayout.findings.map(key).toSorted()).toEqual(expected);
      expect(byReference.findings.map(key).toSorted()).toEqual(expected);
      const packages = image.packages.map((entry) => entry.purl).toSorted();
      expect(byLayout.packages.map((entry) => entry.purl).toSorted()).toEqual(packages);
      expect(byReference.packages.map((entry) => entry.purl).toSorted()).toEqual(packages);
    });
  },
);
