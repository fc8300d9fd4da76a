// VEX documents of all three formats: what they say of a finding, and that nothing else makes them crash.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openFinding, reportOf } from '../advice/testing/findings.ts';
import { scanErrors } from '../errors.ts';
import { suppressFindings } from '../exemptions/suppression.ts';
import { parseVexDocument } from './document.ts';

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const parse = (value: unknown, source = 'v.json') => parseVexDocument(bytes(value), source);
const decide = (...documents: readonly unknown[]) => {
  const vex = documents.map((document, index) => parse(document, `${index}.json`));
  const { reports } = suppressFindings([reportOf([openFinding])], { exemptions: [], vex }, 0);
  const { state, suppression, vex: note } = reports[0]?.findings[0] ?? openFinding;
  return { state, suppression, note };
};

const DIGEST = `sha256:${'1'.repeat(64)}`;
const openvex = (products: readonly unknown[], more: object = {}) => ({
  '@context': 'https://openvex.dev/ns/v0.2.0',
  '@id': 'https://example.com/vex-1',
  author: 'Shop',
  timestamp: '2026-01-01T00:00:00Z',
  version: 1,
  statements: [
    {
      vulnerability: { name: 'CVE-2024-5535' },
      products,
      status: 'not_affected',
      justification: 'vulnerable_code_not_in_execute_path',
      impact_statement: 'SSL is not used',
      ...more,
    },
  ],
});

describe('OpenVEX', () => {
  it.each([
    ['the package', [{ '@id': 'pkg:deb/debian/libssl3@3.0.11-1' }], 'exempt'],
    ['its identifiers', [{ identifiers: { purl: 'pkg:deb/debian/libssl3' } }], 'exempt'],
    ['a string', ['pkg:deb/debian/libssl3?arch=amd64'], 'exempt'],
    ['another version', [{ '@id': 'pkg:deb/debian/libssl3@3.0.12-1' }], 'open'],
    ['another architecture', [{ '@id': 'pkg:deb/debian/libssl3?arch=arm64' }], 'open'],
    ['the source package', [{ '@id': 'pkg:deb/debian/openssl?arch=source' }], 'exempt'],
    ['the image', [{ '@id': `pkg:oci/cart@${encodeURIComponent(DIGEST)}` }], 'exempt'],
    ['the image by hash', [{ '@id': 'x', hashes: { 'sha-256': '1'.repeat(64) } }], 'exempt'],
    ['the image by reference', [{ '@id': 'registry.example/shop/cart:1.4' }], 'exempt'],
    ['the repository', [{ '@id': 'pkg:oci/cart?repository_url=registry.example/shop/cart' }], 'exempt'],
    [
      'a part of the image',
      [{ '@id': DIGEST, subcomponents: [{ '@id': 'pkg:deb/debian/libssl3' }] }],
      'exempt',
    ],
    ['another part', [{ '@id': DIGEST, subcomponents: [{ '@id': 'pkg:deb/debian/zlib1g' }] }], 'open'],
    ['another image', [{ '@id': `pkg:oci/cart@sha256:${'2'.repeat(64)}` }], 'open'],
    ['nothing', [], 'open'],
  ])('about %s: %s', (_what, products, state) => expect(decide(openvex(products)).state).toBe(state));

  it('says why and who', () => {
    expect(decide(openvex([DIGEST])).suppression).toEqual({
      by: 'vex',
      source: '0.json',
      reason: 'not_affected: vulnerable_code_not_in_execute_path: SSL is not used',
      owner: 'Shop',
      until: null,
    });
  });

  it('leaves affected and under investigation open, with a note', () => {
    expect(decide(openvex([DIGEST], { status: 'under_investigation' }))).toMatchObject({
      state: 'open',
      note: { status: 'under_investigation' },
    });
    expect(decide(openvex([DIGEST], { status: 'fixed' })).state).toBe('exempt');
  });

  it('takes the newest statement of the first document that speaks', () => {
    const one = openvex([DIGEST], { timestamp: '2026-03-01T00:00:00Z', status: 'affected' });
    const older = openvex([DIGEST], { timestamp: '2026-02-01T00:00:00Z' }).statements;
    const document = { ...one, statements: [...one.statements, ...older] };
    expect(decide(document).state).toBe('open');
    expect(decide(document, openvex([DIGEST])).state).toBe('open');
    expect(decide(openvex([DIGEST]), document).state).toBe('exempt');
  });

  it('gives way to the exemption of the organisation', () => {
    const exemption = {
      vulnerability: 'CVE-2024-5535',
      reason: 'r',
      owner: 'o',
      expires: '2030-01-01',
      source: 'f:1',
    };
    const rules = { exemptions: [exemption], vex: [parse(openvex([DIGEST]))] };
    const { reports } = suppressFindings([reportOf([openFinding])], rules, 0);
    expect(reports[0]?.findings[0]?.suppression?.by).toBe('exemption');
  });

  it('reads the predicate of an attestation', () => {
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://openvex.dev/ns/v0.2.0',
      predicate: openvex([DIGEST]),
    };
    expect(parse(statement).statements.length).toBe(1);
    expect(() => parse({ ...statement, predicate: statement })).toThrow('neither');
  });
});

const cyclonedx = (state: string, ref: string) => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components: [
    { type: 'library', name: 'libssl3', 'bom-ref': 'ssl', purl: 'pkg:deb/debian/libssl3@3.0.11-1' },
  ],
  vulnerabilities: [
    { id: 'CVE-2024-5535', analysis: { state, justification: 'code_not_reachable' }, affects: [{ ref }] },
    { id: 'CVE-2024-0001', affects: [{ ref }] },
  ],
});

describe('CycloneDX VEX', () => {
  it.each([
    ['not_affected', 'ssl', 'exempt'],
    ['false_positive', 'pkg:deb/debian/libssl3', 'exempt'],
    ['resolved', 'urn:cdx:11111111-1111-4111-8111-111111111111/1#ssl', 'exempt'],
    ['exploitable', 'ssl', 'open'],
    ['in_triage', 'ssl', 'open'],
    ['not_affected', 'other', 'open'],
  ])('%s of %s: %s', (state, ref, expected) => expect(decide(cyclonedx(state, ref)).state).toBe(expected));

  it('takes nothing from a vulnerability without analysis', () => {
    expect(parse(cyclonedx('not_affected', 'ssl')).statements.length).toBe(1);
  });
});

const csaf = (status: string, platformHelper?: object, partPurl = 'pkg:deb/debian/libssl3@3.0.11-1') => ({
  document: { category: 'csaf_vex', csaf_version: '2.0', publisher: { name: 'Vendor' } },
  product_tree: {
    branches: [
      {
        category: 'vendor',
        branches: [
          {
            category: 'product_name',
            product: { product_id: 'os', name: 'OS', product_identification_helper: platformHelper },
          },
          {
            category: 'product_version',
            product: { product_id: 'ssl', name: 's', product_identification_helper: { purl: partPurl } },
          },
        ],
      },
    ],
    relationships: [
      {
        category: 'default_component_of',
        full_product_name: { product_id: 'os:ssl', name: 'ssl of OS' },
        product_reference: 'ssl',
        relates_to_product_reference: 'os',
      },
    ],
  },
  vulnerabilities: [
    {
      cve: 'CVE-2024-5535',
      product_status: { [status]: ['os:ssl'] },
      flags: [{ label: 'component_not_present', product_ids: ['os:ssl'] }],
    },
  ],
});

describe('CSAF', () => {
  it.each([
    ['known_not_affected', undefined, 'exempt'],
    ['fixed', undefined, 'exempt'],
    ['known_affected', undefined, 'open'],
    ['under_investigation', undefined, 'open'],
    ['known_not_affected', { purl: `pkg:oci/cart@${encodeURIComponent(DIGEST)}` }, 'exempt'],
    ['known_not_affected', { purl: `pkg:oci/cart@sha256:${'3'.repeat(64)}` }, 'open'],
  ])('%s on %j: %s', (status, platform, expected) =>
    expect(decide(csaf(status, platform)).state).toBe(expected),
  );

  it('says why', () => {
    const { suppression } = decide(csaf('known_not_affected'));
    expect(suppression).toMatchObject({ reason: 'not_affected: component_not_present', owner: 'Vendor' });
  });

  it('does not take a part without version on an unknown platform for ours', () => {
    expect(decide(csaf('known_not_affected', { cpe: 'cpe:/o:x:y:9' }, 'pkg:deb/debian/libssl3')).state).toBe(
      'open',
    );
  });
});

describe('foreign bytes', () => {
  const shapes = fc.constantFrom(openvex([DIGEST]), cyclonedx('not_affected', 'ssl'), csaf('fixed'));
  it('gives a coded error for everything that is none', () => {
    const damaged = fc.tuple(shapes, fc.nat(), fc.string({ maxLength: 4 })).map(([shape, at, insert]) => {
      const text = JSON.stringify(shape);
      const cut = at % text.length;
      return Buffer.from(text.slice(0, cut) + insert + text.slice(cut + insert.length));
    });
    const values = fc.tuple(shapes, fc.jsonValue(), fc.nat()).map(([shape, value, at]) => {
      let count = 0;
      return bytes(
        JSON.parse(JSON.stringify(shape), (_key, part: unknown) => (count++ === at % 20 ? value : part)),
      );
    });
    fc.assert(
      fc.property(fc.oneof(damaged, values, fc.uint8Array()), (input) => {
        try {
          parseVexDocument(input, 'x');
        } catch (error) {
          expect(scanErrors.is(error, 'SCAN_VEX_INVALID')).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('walks deep trees without recursion', () => {
    const text = `{"document":{"csaf_version":"2.0"},"product_tree":{"branches":${'[{"branches":'.repeat(20_000)}[]${'}]'.repeat(20_000)}}}`;
    expect(parseVexDocument(Buffer.from(text), 'x').statements).toEqual([]);
  });
});
