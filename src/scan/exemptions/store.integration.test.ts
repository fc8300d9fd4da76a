// Exemptions in a real database: what they cover is decided when findings are read; every change is in the audit trail.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sql } from 'kysely';
import { systemClock, systemRandomness, type ImageDirectory, type StoredImage } from '../../core/index.ts';
import type { AuditEntry, AuditTrail } from '../../store/index.ts';
import { openTestDatabase, type TestDatabase } from '../../store/testing.ts';
import { explainStored } from '../advice/stored-explanation.ts';
import { affects, buildAdvisories } from '../testing.ts';
import { openFinding, reportOf, sslPackage } from '../advice/testing/findings.ts';
import { beginScan, findScan } from '../store.ts';
import { listFindings } from '../store-queries.ts';
import { saveReport } from '../store-results.ts';
import type { ExemptionRule } from './exemption.ts';
import { globPattern, matchesGlob } from './glob.ts';
import { ExemptionService, refreshExemptionsOf } from './service.ts';
import { listExemptions } from './store.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const author = { actor: 'alice', address: '192.0.2.1' };
const rule = (more: Partial<ExemptionRule>): ExemptionRule => ({
  reason: 'not reachable',
  owner: 'shop',
  expires: '2999-01-31',
  ...more,
});

function stored(repository: string): StoredImage {
  const location = {
    repository,
    tags: ['1.4'],
    pushedAt: '2026-01-01T00:00:00Z',
    pushedBy: 'ci',
    lastPulledAt: null,
    pulls: 0,
  };
  return {
    digest: DIGEST,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    kind: 'image',
    size: 1,
    artifactType: null,
    locations: [location],
    children: [],
  };
}

describe('exemptions of the server', () => {
  let database: TestDatabase;
  const entries: AuditEntry[] = [];
  const image = stored('shop/cart');
  const directory: Pick<ImageDirectory, 'list'> = {
    list: async () => ({ images: [image], nextCursor: null }),
  };
  const audit: Pick<AuditTrail, 'record'> = {
    record: async (_transaction, entry) => {
      entries.push(entry);
    },
  };
  let service: ExemptionService;
  beforeAll(async () => {
    database = await openTestDatabase();
    const { db } = database;
    // The service asks no more of the directory and the trail than these.
    service = new ExemptionService({
      db,
      audit: audit as AuditTrail,
      directory: directory as ImageDirectory,
      clock: systemClock,
      randomness: systemRandomness,
    });
    const attempt = await beginScan(db, DIGEST, 'push', new Date());
    const report = reportOf(
      [openFinding, { ...openFinding, id: 'CVE-2024-0001', advisory: 'X', aliases: [], severity: 'low' }],
      {
        packages: [sslPackage],
      },
    );
    expect(await saveReport(db, DIGEST, attempt, report, new Date())).toBe(true);
  }, 120_000);
  afterAll(() => database?.close());
  beforeEach(async () => {
    await sql`delete from scan_exemption`.execute(database.db);
    entries.length = 0;
  });
  const ids = async (state: 'open' | 'exempt' | 'all'): Promise<string[]> =>
    (await listFindings(database.db, { state, limit: 10 })).findings.map((finding) => finding.id);

  it.each([
    [{ vulnerability: 'cve-2024-5535' }, ['CVE-2024-5535']],
    [{ vulnerability: 'DEBIAN-CVE-2024-5535' }, ['CVE-2024-5535']],
    [{ vulnerability: 'CVE-2024-9999' }, []],
    [{ package: 'libssl3' }, ['CVE-2024-5535', 'CVE-2024-0001']],
    [{ package: 'openssl' }, ['CVE-2024-5535', 'CVE-2024-0001']],
    [{ package: 'pkg:deb/debian/libssl3@3.0.11-1' }, ['CVE-2024-5535', 'CVE-2024-0001']],
    [{ package: 'pkg:deb/debian/libssl3@3.0.12-1' }, []],
    [{ package: 'pkg:npm/libssl3' }, []],
    [{ package: 'libssl3', version: '3.0.12-1' }, []],
    [{ path: 'var/**' }, ['CVE-2024-5535', 'CVE-2024-0001']],
    [{ path: '/app/**' }, []],
    [{ package: 'libssl3', image: 'shop/*' }, ['CVE-2024-5535', 'CVE-2024-0001']],
    [{ package: 'libssl3', image: 'shop/cart:1.4' }, ['CVE-2024-5535', 'CVE-2024-0001']],
    [{ package: 'libssl3', image: 'other/*' }, []],
    [{ package: 'libssl3', expires: '2020-01-01' }, []],
  ])('covers by %j', async (more, expected) => {
    await service.create(rule(more), author);
    expect(await ids('exempt')).toEqual(expected);
    expect((await ids('open')).length).toBe(2 - expected.length);
    expect((await ids('all')).length).toBe(2);
  });

  it('shows who, why and until when, and does not count it', async () => {
    const made = await service.create(rule({ vulnerability: 'CVE-2024-5535' }), author);
    const { findings } = await listFindings(database.db, { state: 'exempt', limit: 10 });
    expect(findings[0]).toMatchObject({
      state: 'exempt',
      suppression: {
        by: 'exemption',
        source: made.id,
        reason: 'not reachable',
        owner: 'shop',
        until: '2999-01-31',
      },
    });
    expect((await findScan(database.db, DIGEST))?.counts).toMatchObject({ critical: 0, low: 1 });
    await service.delete(made.id, author);
    expect((await findScan(database.db, DIGEST))?.counts).toMatchObject({ critical: 1, low: 1 });
    expect(entries.map((entry) => [entry.action, entry.actor, entry.target])).toEqual([
      ['exemption.create', 'alice', made.id],
      ['exemption.delete', 'alice', made.id],
    ]);
  });

  it('replaces, and says what is not there', async () => {
    const { id } = await service.create(rule({ vulnerability: 'CVE-2024-5535' }), author);
    await service.replace(id, rule({ vulnerability: 'CVE-2024-0001', expires: '2020-01-01' }), author);
    expect(await listExemptions(database.db, { limit: 5 })).toMatchObject([
      { id, vulnerability: 'CVE-2024-0001', expires: '2020-01-01', expired: true, createdBy: 'alice' },
    ]);
    await service.delete(id, author);
    await expect(service.delete(id, author)).rejects.toMatchObject({ code: 'SCAN_EXEMPTION_UNKNOWN' });
    await expect(service.replace(id, rule({ path: 'a' }), author)).rejects.toMatchObject({
      code: 'SCAN_EXEMPTION_UNKNOWN',
    });
    await expect(service.create(rule({ image: '*' }), author)).rejects.toMatchObject({
      code: 'SCAN_EXEMPTIONS_INVALID',
    });
    expect((await findScan(database.db, DIGEST))?.counts).toMatchObject({ critical: 1 });
  });

  it('is named by an explanation of the stored image', async () => {
    const file = await buildAdvisories([
      {
        id: openFinding.advisory,
        aliases: [openFinding.id],
        affected: [affects('Debian:12', 'openssl', '3.0.15-1')],
      },
    ]);
    try {
      const outcome = async (id: string): Promise<string> =>
        (await explainStored(database.db, DIGEST, id, file.advisories)).outcome;
      expect(await outcome('CVE-2024-5535')).toBe('applies');
      await service.create(rule({ vulnerability: 'CVE-2024-5535' }), author);
      const { outcome: now, packages } = await explainStored(
        database.db,
        DIGEST,
        'CVE-2024-5535',
        file.advisories,
      );
      expect(now).toBe('exempt');
      expect(packages).toMatchObject([
        { package: 'libssl3', verdict: 'affected', finding: { state: 'exempt' } },
      ]);
      expect(await outcome('CVE-1999-0001')).toBe('no-such-advisory');
      await expect(explainStored(database.db, 'sha256:0', 'X', file.advisories)).rejects.toMatchObject({
        code: 'SCAN_IMAGE_UNKNOWN',
      });
    } finally {
      file.remove();
    }
  });

  it('follows the names of an image', async () => {
    await service.create(rule({ package: 'libssl3', image: 'moved/*' }), author);
    expect(await ids('exempt')).toEqual([]);
    await refreshExemptionsOf(database.db, stored('moved/cart'));
    expect((await ids('exempt')).length).toBe(2);
    await refreshExemptionsOf(database.db, image);
    expect(await ids('exempt')).toEqual([]);
  });

  it.each(['a/**/b', '**/x', '*.js', 'a.b+(c)[d]{e}|f^$\\', 'a/?/**', '**'])(
    'reads %s as here',
    async (pattern) => {
      const texts = ['a/b', 'a/x/y/b', 'ab', 'x', 'q/x', 'a.js', 'a/b.js', 'a/b/c', 'a.b+(c)[d]{e}|f^$\\'];
      for (const text of texts) {
        const { rows } = await sql<{
          fits: boolean;
        }>`select ${text}::text ~ ${globPattern(pattern)} as fits`.execute(database.db);
        expect([text, rows[0]?.fits]).toEqual([text, matchesGlob(pattern, text)]);
      }
    },
  );
});
