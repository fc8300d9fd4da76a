// Tests of signing in and of tokens with a real database: first start, resets, several processes, a database that is away.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BreakwaterError, silentLogger, systemRandomness } from '../core/index.ts';
import { openTestStore } from '../store/testing.ts';
import { createIdentity, parseScope, permits, permitsCatalog, TOKEN_USERNAME } from './index.ts';
import type { Access, ClosableIdentity, Credential } from './index.ts';

const SERVICE = 'registry.example';
const HOUR = 3_600_000;
const time = { now: Date.parse('2026-01-01T00:00:00Z') };

let store: Awaited<ReturnType<typeof openTestStore>>;
let keys: string;
let first: ClosableIdentity;
let second: ClosableIdentity;
let credential: Credential;

const open = (keyDirectory: string) =>
  createIdentity({
    store,
    keyDirectory,
    clock: { now: () => time.now },
    randomness: systemRandomness,
    logger: silentLogger(),
  });

const basic = (username: string, password: string) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('missing');
  return value;
}

const login = async (): Promise<Access> =>
  present(await first.checkPassword(credential.username, credential.password));

beforeAll(async () => {
  store = await openTestStore();
  keys = await mkdtemp(join(tmpdir(), 'breakwater-identity-'));
  [first, second] = await Promise.all([open(keys), open(keys)]);
  const made = await Promise.all(
    [first, second, first, second].map((identity) => identity.ensureAdministrator()),
  );
  expect(made.filter((one) => one !== null)).toHaveLength(1);
  credential = present(made.find((one) => one !== null));
});

afterAll(async () => {
  first?.close();
  second?.close();
  await store?.close();
  await rm(keys, { recursive: true, force: true });
});

describe('administrator', () => {
  it('is made once, and the password is stored nowhere', async () => {
    expect(await first.ensureAdministrator()).toBeNull();
    const rows = await sql<{ row: string }>`select credential::text as row from credential`.execute(store.db);
    expect(rows.rows).toHaveLength(1);
    expect(rows.rows[0]?.row).not.toContain(credential.password);
  });

  it('gets in with the right name and password only', async () => {
    const { username, password } = credential;
    for (const identity of [first, second]) {
      expect(await identity.checkPassword(username, password)).toEqual({
        subject: { name: 'admin', kind: 'administrator' },
        grants: null,
        expiresAt: time.now + 3 * HOUR,
        generation: 1,
      });
    }
    expect(await first.checkPassword(username, `${password}x`)).toBeUndefined();
    expect(await first.checkPassword('root', password)).toBeUndefined();
    expect(await first.checkPassword('', '')).toBeUndefined();
    expect(await first.checkAuthorization(basic(username, password), SERVICE)).toBeDefined();
    expect(await first.checkAuthorization(basic(username, ''), SERVICE)).toBeUndefined();
    expect(await first.checkAuthorization(undefined, SERVICE)).toBeUndefined();
  });

  it('is told nothing but no for any other header, and nothing throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        for (const header of [
          text,
          `Basic ${text}`,
          `Bearer ${text}`,
          basic('admin', text),
          basic(TOKEN_USERNAME, text),
        ]) {
          expect(await first.checkAuthorization(header, SERVICE)).toBeUndefined();
        }
        expect(await first.checkPassword(text, text)).toBeUndefined();
        expect(await first.checkRefreshToken(text, SERVICE)).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });
});

describe('access tokens', () => {
  it('carry what was asked for, for 75 minutes, also in another process', async () => {
    const asked = parseScope('repository:a/b:pull,push registry:catalog:*');
    const issued = await first.issueToken(await login(), SERVICE, asked);
    expect(issued).toMatchObject({ expiresInSeconds: 4500, grants: asked });
    expect(Date.parse(issued.issuedAt)).toBe(time.now);
    const access = present(await second.checkAuthorization(`Bearer ${issued.token}`, SERVICE));
    expect(permits(access, 'a/b', 'push')).toBe(true);
    expect(permits(access, 'a/b', 'delete')).toBe(false);
    expect(permits(access, 'a', 'pull')).toBe(false);
    expect(permitsCatalog(access)).toBe(true);
  });

  it('are for one service, and are not refresh tokens', async () => {
    const { token } = await first.issueToken(await login(), SERVICE, []);
    for (let round = 0; round < 2; round++) {
      expect(await first.checkAuthorization(`Bearer ${token}`, 'other.example')).toBeUndefined();
      expect(await first.checkRefreshToken(token, SERVICE)).toBeUndefined();
      expect(await first.checkAuthorization(`Bearer ${token}`, SERVICE)).toMatchObject({ grants: [] });
    }
  });

  it('end on time, although they were checked before', async () => {
    const start = time.now;
    const { token } = await first.issueToken(await login(), SERVICE, []);
    try {
      time.now = start + 4_499_000;
      expect(await first.checkAuthorization(`Bearer ${token}`, SERVICE)).toBeDefined();
      time.now = start + 4_500_000;
      expect(await first.checkAuthorization(`Bearer ${token}`, SERVICE)).toBeUndefined();
    } finally {
      time.now = start;
    }
  });

  it('never make more of themselves', async () => {
    const start = time.now;
    const narrow = await first.issueToken(await login(), SERVICE, parseScope('repository:a:pull'));
    const access = present(await first.checkAuthorization(`Bearer ${narrow.token}`, SERVICE));
    try {
      time.now = start + HOUR;
      const wider = await first.issueToken(
        access,
        SERVICE,
        parseScope('repository:a:pull,push repository:b:pull'),
      );
      expect(wider.grants).toEqual(parseScope('repository:a:pull'));
      expect(wider.expiresInSeconds).toBe(4500 - 3600);
      const refresh = await first.issueRefreshToken(access, SERVICE);
      expect(await first.checkRefreshToken(refresh, SERVICE)).toMatchObject({
        grants: parseScope('repository:a:pull'),
        expiresAt: start + 4_500_000,
      });
    } finally {
      time.now = start;
    }
  });
});

describe('refresh tokens', () => {
  it('give a new access for three hours, in another process too, and are not access tokens', async () => {
    const start = time.now;
    const token = await first.issueRefreshToken(await login(), SERVICE);
    expect(await second.checkRefreshToken(token, SERVICE)).toMatchObject({ grants: null });
    expect(await first.checkRefreshToken(token, 'other.example')).toBeUndefined();
    expect(await first.checkAuthorization(`Bearer ${token}`, SERVICE)).toBeUndefined();
    try {
      time.now = start + 3 * HOUR - 60_000;
      const access = present(await first.checkRefreshToken(token, SERVICE));
      expect((await first.issueToken(access, SERVICE, [])).expiresInSeconds).toBe(60);
      time.now += 1_000;
      expect(await first.checkRefreshToken(token, SERVICE)).toBeUndefined();
    } finally {
      time.now = start;
    }
  });

  it('and access tokens are the password of the token user', async () => {
    const access = await login();
    const refresh = await first.issueRefreshToken(access, SERVICE);
    const { token } = await first.issueToken(access, SERVICE, parseScope('repository:a:pull'));
    expect(await first.checkAuthorization(basic(TOKEN_USERNAME, refresh), SERVICE)).toMatchObject({
      grants: null,
    });
    expect(await first.checkAuthorization(basic(TOKEN_USERNAME, token), SERVICE)).toMatchObject({
      grants: parseScope('repository:a:pull'),
    });
    expect(await first.checkAuthorization(basic('admin', refresh), SERVICE)).toBeUndefined();
  });
});

describe('system tokens', () => {
  const grants = parseScope('repository:a/b:pull');

  it('allow exactly their grants', async () => {
    const token = await first.issueSystemToken('system:scanner', grants, SERVICE, 600);
    const access = present(await second.checkAuthorization(`Bearer ${token}`, SERVICE));
    expect(access.subject).toEqual({ name: 'system:scanner', kind: 'system' });
    expect(access.expiresAt).toBe(time.now + 600_000);
    expect(permits(access, 'a/b', 'pull')).toBe(true);
    expect(permits(access, 'a/b', 'push')).toBe(false);
    const asked = parseScope('repository:a/b:pull,push registry:catalog:*');
    expect((await first.issueToken(access, SERVICE, asked)).grants).toEqual(grants);
  });

  it.each([
    ['admin', 600],
    ['system:', 600],
    ['system:a b', 600],
    ['system:scanner', 0],
    ['system:scanner', 1.5],
    ['system:scanner', 3 * 3600 + 1],
    ['system:scanner', Number.NaN],
  ])('are refused to %s for %d seconds', async (name, seconds) => {
    await expect(first.issueSystemToken(name, grants, SERVICE, seconds)).rejects.toMatchObject({
      code: 'IDENTITY_SYSTEM_TOKEN_INVALID',
    });
  });
});

describe('a new password', () => {
  it('ends the old one and all tokens made with it, in every process', async () => {
    const access = await login();
    const { token } = await first.issueToken(access, SERVICE, []);
    const refresh = await first.issueRefreshToken(access, SERVICE);
    const system = await first.issueSystemToken('system:scanner', [], SERVICE, 600);
    for (const identity of [first, second]) {
      expect(await identity.checkAuthorization(`Bearer ${token}`, SERVICE)).toBeDefined();
    }
    const old = credential;
    credential = await second.resetAdministrator();
    expect(credential.password).not.toBe(old.password);
    for (const identity of [first, second]) {
      expect(await identity.checkPassword(old.username, old.password)).toBeUndefined();
      expect(await identity.checkAuthorization(`Bearer ${token}`, SERVICE)).toBeUndefined();
      expect(await identity.checkRefreshToken(refresh, SERVICE)).toBeUndefined();
      expect(await identity.checkPassword(credential.username, credential.password)).toMatchObject({
        generation: 2,
      });
      expect(await identity.checkAuthorization(`Bearer ${system}`, SERVICE)).toBeDefined();
    }
    const { rows } = await sql`select action, actor, target, result from audit_record order by id`.execute(
      store.db,
    );
    expect(rows).toEqual(
      ['credential.create', 'credential.replace'].map((action) => ({
        action,
        actor: 'system:start',
        target: 'admin',
        result: 'success',
      })),
    );
    // What was proved with the old password issues nothing that works.
    const late = await first.issueToken(access, SERVICE, []);
    expect(await first.checkAuthorization(`Bearer ${late.token}`, SERVICE)).toBeUndefined();
  });
});

describe('checks and the database', () => {
  it('await no SQL once warm', async () => {
    const header = basic(credential.username, credential.password);
    const { token } = await first.issueToken(await login(), SERVICE, []);
    let answered = false;
    const slow = sql`select pg_sleep(1)`.execute(store.db).then(() => (answered = true));
    for (let count = 0; count < 200; count++) {
      expect(await first.checkAuthorization(header, SERVICE)).toBeDefined();
      expect(await first.checkAuthorization(`Bearer ${token}`, SERVICE)).toBeDefined();
    }
    expect(answered).toBe(false);
    await slow;
  });

  it('start over with other keys: old tokens and the old password are worth nothing', async () => {
    const other = await mkdtemp(join(tmpdir(), 'breakwater-identity-'));
    const { token } = await first.issueToken(await login(), SERVICE, []);
    const stranger = await open(other);
    try {
      expect(await stranger.checkAuthorization(`Bearer ${token}`, SERVICE)).toBeUndefined();
      expect(await stranger.checkPassword(credential.username, credential.password)).toBeUndefined();
    } finally {
      stranger.close();
      await rm(other, { recursive: true, force: true });
    }
  });

  it('fail with a code when credentials changed and the database cannot be asked, and recover', async () => {
    const header = basic(credential.username, credential.password);
    await sql`alter table credential rename to hidden`.execute(store.db);
    store.invalidations.apply(['identity:credential:admin']);
    const error = await first.checkAuthorization(header, SERVICE).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BreakwaterError);
    expect(error).toMatchObject({ code: 'IDENTITY_STORE_UNAVAILABLE', status: 503 });
    await sql`alter table hidden rename to credential`.execute(store.db);
    expect(await first.checkAuthorization(header, SERVICE)).toBeDefined();
  });
});
