// The keys, names and epochs of the real advisory files are the ones that distributions are mapped to.
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { distributionEcosystem } from './distribution.ts';
import { advisoriesLackEpoch, advisoryNaming } from './rpm-distribution.ts';

const FOLDER = new URL('../../../shared/advisories/', import.meta.url);

/** Releases that the files speak of, as their os-release says. */
const RELEASES: Readonly<Record<string, readonly (readonly [id: string, versionId: string])[]>> = {
  redhat: [
    ['rhel', '7.9'],
    ['rhel', '8.10'],
    ['centos', '9'],
  ],
  almalinux: [
    ['almalinux', '8.10'],
    ['almalinux', '9.4'],
    ['almalinux', '10.0'],
  ],
  rocky: [
    ['rocky', '8.10'],
    ['rocky', '9.4'],
  ],
  suse: [
    ['sles', '15.4'],
    ['sles', '15.5'],
    ['sles', '15.6'],
    ['sles', '15.7'],
    ['opensuse-leap', '15.5'],
    ['opensuse-leap', '15.6'],
    ['opensuse-tumbleweed', '20250101'],
    ['sle-micro', '5.0'],
    ['sle-micro', '5.1'],
    ['sle-micro', '5.2'],
    ['sle-micro', '5.3'],
    ['sle-micro', '5.4'],
    ['sle-micro', '5.5'],
  ],
  amazon: [
    ['amzn', '2018.03'],
    ['amzn', '2'],
    ['amzn', '2022'],
    ['amzn', '2023'],
  ],
  'azure-linux': [
    ['azurelinux', '3.0'],
    ['mariner', '1.0'],
  ],
  ubuntu: [
    ['ubuntu', '14.04'],
    ['ubuntu', '16.04'],
    ['ubuntu', '18.04'],
    ['ubuntu', '20.04'],
    ['ubuntu', '22.04'],
    ['ubuntu', '24.04'],
  ],
};

/** A support contract of one customer, which no image belongs to. */
const LEFT_OUT = new Set(['SUSE:Linux Enterprise Server 15 SP4-TERADATA']);

/** A package that is built from another one's source, to tell binary names from source names. */
const BINARY_ONLY = ['openssl-libs', 'libopenssl1_1', 'libcurl4', 'python3-libs', 'bind-libs'];

interface Facts {
  readonly ecosystems: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  readonly epochs: boolean;
}

function factsOf(file: string): Facts {
  const text = gunzipSync(readFileSync(new URL(`${file}.ndjson.gz`, FOLDER))).toString('utf8');
  const all = (pattern: RegExp): ReadonlySet<string> =>
    new Set([...text.matchAll(pattern)].map(([, value = '']) => JSON.parse(`"${value}"`)));
  return {
    ecosystems: all(/"ecosystem":\s*"((?:[^"\\]|\\.)*)"/g),
    names: all(/"name":\s*"((?:[^"\\]|\\.)*)"/g),
    epochs: /"fixed":\s*"\d+:/.test(text),
  };
}

describe.skipIf(!existsSync(FOLDER))('distributions of the real data (needs ../shared/advisories)', () => {
  it.each(Object.keys(RELEASES))('%s', (file) => {
    const { ecosystems, names, epochs } = factsOf(file);
    const mapped = (RELEASES[file] ?? []).map(([id, versionId]) => distributionEcosystem({ id, versionId }));
    const keys = new Set(mapped.flat());
    expect([...ecosystems].filter((ecosystem) => !keys.has(ecosystem) && !LEFT_OUT.has(ecosystem))).toEqual(
      [],
    );
    for (const [index, found] of mapped.entries()) {
      const release = RELEASES[file]?.[index]?.join(' ');
      // Nothing but LTSS or later data exists for some SUSE releases.
      if (release !== 'sles 15.7')
        expect(
          found.some((key) => ecosystems.has(key)),
          release,
        ).toBe(true);
    }
    const [first = ''] = mapped[0] ?? [];
    if (file === 'ubuntu') return;
    expect(BINARY_ONLY.some((name) => names.has(name))).toBe(advisoryNaming(first) === 'binary');
    expect(epochs).toBe(!advisoriesLackEpoch(first));
  });
});
