// Secrets appear with their image's switch and go with it; on a real store.
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../../store/testing.ts';
import { beginScan } from '../store.ts';
import { insertSecrets, listSecrets, removeAllSecrets } from './store.ts';
import type { SecretFinding } from './types.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
}, 120_000);
afterAll(() => database?.close());

const SECRET: SecretFinding = {
  rule: 'gitlab-pat',
  title: 'GitLab: Personal access token',
  severity: 'critical',
  source: 'file',
  path: 'a',
  line: 2,
  layer: 0,
  layerDigest: null,
  removedInLayer: 1,
  masked: '******',
  fingerprint: 'f',
  validated: 'pattern',
  remediation: 'Replace it.',
};

it('shows nothing before the switch, and nothing after the image is forgotten', async () => {
  const { db } = database;
  await beginScan(db, 'd', 'push', new Date(0));
  const write: Parameters<typeof insertSecrets>[3] = async (run) => {
    await db.transaction().execute(run);
    return true;
  };
  expect(await insertSecrets([SECRET], 'd', 1, write)).toBe(true);
  const page = { image: 'd', limit: 10 };
  expect(await listSecrets(db, page)).toEqual({ searched: false, secrets: [], nextCursor: null });
  await sql`update scan_image set secret_generation = 1, secret_count = 1 where digest = 'd'`.execute(db);
  expect(await listSecrets(db, page)).toEqual({ searched: true, secrets: [SECRET], nextCursor: null });
  await removeAllSecrets(db, 'd');
  expect((await listSecrets(db, page)).secrets).toEqual([]);
});
