// Tests of token signing and verification, with the attacks known for JWT.
import { createHmac, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemRandomness } from '../core/index.ts';
import { makeSigningKeyFile, parseSigningKey } from './signing-key.ts';
import type { SigningKey } from './signing-key.ts';
import { TokenAuthority } from './tokens.ts';
import type { TokenContent } from './tokens.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const SECONDS = NOW / 1000;
const time = { now: NOW };
let key: SigningKey;
let authority: TokenAuthority;

const content: TokenContent = {
  subject: { name: 'admin', kind: 'administrator' },
  generation: 3,
  grants: [{ type: 'repository', name: 'a/b', actions: ['pull'] }],
  use: 'access',
  service: 'registry.example',
  lifetimeSeconds: 4500,
};

beforeAll(async () => {
  key = await parseSigningKey(await makeSigningKeyFile(), 'k');
  authority = new TokenAuthority(key, { now: () => time.now }, systemRandomness);
});

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function claims(changes: Record<string, unknown> = {}) {
  return {
    iss: 'breakwater',
    sub: 'admin',
    aud: 'registry.example',
    iat: SECONDS,
    nbf: SECONDS,
    exp: SECONDS + 600,
    jti: 'x',
    use: 'access',
    kind: 'administrator',
    gen: 3,
    access: null,
    ...changes,
  };
}

/** Signed with the real key, header and claims at will. */
function signed(changes: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT(claims(changes))
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: key.kid, ...header })
    .sign(key.privateKey);
}

describe('TokenAuthority', () => {
  it('gives back what it signed, with the claims of the Distribution token specification', async () => {
    const { token, issuedAt } = await authority.sign(content);
    const [header, payload] = token
      .split('.')
      .slice(0, 2)
      .map((text) => JSON.parse(Buffer.from(text, 'base64url').toString()));
    expect(header).toEqual({ alg: 'ES256', typ: 'JWT', kid: key.kid });
    expect(payload).toMatchObject({
      iss: 'breakwater',
      sub: 'admin',
      aud: 'registry.example',
      exp: SECONDS + 4500,
      iat: SECONDS,
      access: content.grants,
    });
    expect(payload.nbf).toBeLessThanOrEqual(SECONDS);
    expect(payload.jti).toMatch(/^[0-9a-f-]{36}$/);
    expect(issuedAt).toBe('2026-01-01T00:00:00.000Z');
    expect(await authority.verify(token)).toEqual({
      access: {
        subject: content.subject,
        grants: content.grants,
        expiresAt: NOW + 4_500_000,
        generation: 3,
      },
      use: 'access',
      service: 'registry.example',
    });
  });

  it('takes a well-formed token of our own key (the base of the attacks below)', async () => {
    expect(await authority.verify(await signed({}))).toBeDefined();
  });

  it.each([
    ['expired', { exp: SECONDS }],
    ['not valid yet', { nbf: SECONDS + 60 }],
    ['without expiry', { exp: undefined }],
    ['of another issuer', { iss: 'other' }],
    ['without issuer', { iss: undefined }],
    ['without subject', { sub: undefined }],
    ['with a list of audiences', { aud: ['registry.example', 'other'] }],
    ['without use', { use: undefined }],
    ['with an unknown use', { use: 'admin' }],
    ['with a negative generation', { gen: -1 }],
    ['with a generation in words', { gen: '3' }],
    ['without access list', { access: undefined }],
    ['with a malformed access list', { access: [{ type: 'repository' }] }],
    ['with a huge access list', { access: Array(1000).fill({ type: 'repository', name: 'a', actions: [] }) }],
  ])('refuses a token %s', async (_name, changes) => {
    expect(await authority.verify(await signed(changes))).toBeUndefined();
  });

  it('refuses headers with another key name, type or critical extension', async () => {
    expect(await authority.verify(await signed({}, { kid: 'other' }))).toBeUndefined();
    expect(await authority.verify(await signed({}, { kid: undefined }))).toBeUndefined();
    expect(await authority.verify(await signed({}, { typ: 'at+jwt' }))).toBeUndefined();
    const { token } = await authority.sign(content);
    const [, payload, signature] = token.split('.');
    const critical = part({ alg: 'ES256', typ: 'JWT', kid: key.kid, crit: ['x'], x: 1 });
    expect(await authority.verify(`${critical}.${payload}.${signature}`)).toBeUndefined();
  });

  it('refuses alg none, in every spelling', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
      const header = part({ alg, typ: 'JWT', kid: key.kid });
      expect(await authority.verify(`${header}.${part(claims())}.`)).toBeUndefined();
    }
  });

  it('refuses a MAC made with the public key (algorithm confusion)', async () => {
    const jwk = await exportJWK(key.publicKey);
    for (const secret of [JSON.stringify(jwk), String(jwk.x), key.kid]) {
      const input = `${part({ alg: 'HS256', typ: 'JWT', kid: key.kid })}.${part(claims())}`;
      const mac = createHmac('sha256', secret).update(input).digest('base64url');
      expect(await authority.verify(`${input}.${mac}`)).toBeUndefined();
    }
  });

  it('refuses a key that the token brings along', async () => {
    const attacker = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(attacker.publicKey);
    const own = await calculateJwkThumbprint(jwk);
    for (const header of [
      { jwk, kid: key.kid },
      { jwk, kid: own },
      { x5c: ['MIIB'], kid: key.kid },
      { jku: 'https://attacker.example/', kid: key.kid },
    ]) {
      const token = await new SignJWT(claims())
        .setProtectedHeader({ alg: 'ES256', typ: 'JWT', ...header })
        .sign(attacker.privateKey);
      expect(await authority.verify(token)).toBeUndefined();
    }
  });

  it('refuses another algorithm with a key of its own', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const token = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'ES384', typ: 'JWT', kid: key.kid })
      .sign(privateKey);
    expect(await authority.verify(token)).toBeUndefined();
  });

  it('refuses a token in which one character changed or that was cut', async () => {
    const { token } = await authority.sign(content);
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.nat(25), async (position, shift) => {
        const letter = String.fromCharCode(65 + shift);
        // The last character of a base64url part has unused bits: those are not a change.
        const next = token[position + 1] ?? '.';
        fc.pre(letter !== token[position] && next !== '.');
        const changed = token.slice(0, position) + letter + token.slice(position + 1);
        expect(await authority.verify(changed)).toBeUndefined();
        expect(await authority.verify(token.slice(0, position))).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it('takes nothing from garbage, and never throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), fc.jsonValue(), async (text, json) => {
        expect(await authority.verify(text)).toBeUndefined();
        expect(await authority.verify(`${part(json)}.${part(json)}.${part(json)}`)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
    expect(await authority.verify('a'.repeat(10_000_000))).toBeUndefined();
  });

  it('lets a token die at the end of its time', async () => {
    const { token } = await authority.sign({ ...content, lifetimeSeconds: 60 });
    time.now = NOW + 59_000;
    expect(await authority.verify(token)).toBeDefined();
    time.now = NOW + 60_000;
    expect(await authority.verify(token)).toBeUndefined();
    time.now = NOW;
  });
});
