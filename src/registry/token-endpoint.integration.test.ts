// Sign-in as clients do it: challenge, token endpoint in all its forms, scopes, refusals (reference: Distribution token specification).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestRegistry, pushBlob, pushImage } from './testing.ts';
import type { Reply, TestRegistry } from './testing.ts';

let test: TestRegistry;

beforeAll(async () => {
  test = await openTestRegistry({ service: 'registry.test' });
  await pushImage(test, 'team/app', 'v1');
  await pushBlob(test, 'team/app/b');
});

afterAll(async () => {
  await test?.close();
});

function form(fields: Readonly<Record<string, string>>): Promise<Reply> {
  return test.send('POST', '/oauth2/token', {
    authorization: null,
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
}

interface TokenReply {
  token: string;
  access_token: string;
  expires_in: number;
  issued_at: string;
  scope: string;
  refresh_token?: string;
}

describe('the challenge', () => {
  it('names realm, service and scope, the same for what exists and what does not', async () => {
    const known = await test.send('GET', '/v2/team/app/manifests/v1', { authorization: null });
    const unknown = await test.send('GET', '/v2/none/app/manifests/v1', { authorization: null });
    expect([known.status, unknown.status]).toEqual([401, 401]);
    expect(known.headers['www-authenticate']).toBe(
      `Bearer realm="http://127.0.0.1:${test.port}/oauth2/token",service="registry.test",scope="repository:team/app:pull"`,
    );
    expect(known.json()).toMatchObject({
      errors: [{ code: 'UNAUTHORIZED', detail: [{ Type: 'repository', Name: 'team/app', Action: 'pull' }] }],
    });
    const push = await test.send('POST', '/v2/team/app/blobs/uploads/', { authorization: null });
    expect(push.headers['www-authenticate']).toContain('scope="repository:team/app:pull,push"');
    const digest = `sha256:${'0'.repeat(64)}`;
    const mount = await test.send('POST', `/v2/team/app/blobs/uploads/?mount=${digest}&from=base/os`, {
      authorization: null,
    });
    expect(mount.headers['www-authenticate']).toContain(
      'scope="repository:team/app:pull,push repository:base/os:pull"',
    );
    const base = await test.send('GET', '/v2/', { authorization: null });
    expect(base.status).toBe(401);
    expect(base.headers['www-authenticate']).not.toContain('scope');
    expect(base.headers['docker-distribution-api-version']).toBe('registry/2.0');
  });

  it('believes no forwarding header, and the Host header only when it is one', async () => {
    const forwarded = await test.send('GET', '/v2/', {
      authorization: null,
      headers: {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        forwarded: 'host=evil.example',
      },
    });
    expect(forwarded.headers['www-authenticate']).toContain(`realm="http://127.0.0.1:${test.port}/`);
    const odd = await test.send('GET', '/v2/', { authorization: null, headers: { host: 'a",x="b' } });
    expect(odd.headers['www-authenticate']).toContain(`realm="http://127.0.0.1:${test.port}/`);
  });

  it('says why a token was not enough', async () => {
    const token = await test.token('repository:team/app:pull');
    const push = await test.send('POST', '/v2/team/app/blobs/uploads/', { authorization: token });
    expect(push.status).toBe(401);
    expect(push.headers['www-authenticate']).toContain('error="insufficient_scope"');
    const child = await test.send('GET', '/v2/team/app/b/tags/list', { authorization: token });
    expect(child.status).toBe(401);
    const forged = await test.send('GET', '/v2/', { authorization: `${token}x` });
    expect(forged.headers['www-authenticate']).toContain('error="invalid_token"');
  });
});

describe('the token endpoint', () => {
  it('gives Basic credentials a token for all of several scopes', async () => {
    const reply = await test.send(
      'GET',
      '/oauth2/token?account=admin&service=registry.test&scope=repository:team/app:push,pull&scope=repository:other:pull',
    );
    expect(reply.status).toBe(200);
    expect(reply.headers['cache-control']).toBe('no-store');
    const body = reply.json() as TokenReply;
    expect(body.token).toBe(body.access_token);
    expect(body.expires_in).toBeGreaterThanOrEqual(60);
    expect(body.scope).toBe('repository:team/app:push,pull repository:other:pull');
    expect(body.refresh_token).toBeUndefined();
    const authorization = `Bearer ${body.token}`;
    expect((await test.send('GET', '/v2/team/app/tags/list', { authorization })).status).toBe(200);
    expect((await test.send('GET', '/v2/other/tags/list', { authorization })).status).toBe(404);
    expect((await test.send('GET', '/v2/_catalog', { authorization })).status).toBe(401);
  });

  it('grants less than asked without an error', async () => {
    const reply = await test.send(
      'GET',
      '/oauth2/token?scope=repository:a:fly&scope=gibberish&scope=plugin:b:pull',
    );
    expect(reply.status).toBe(200);
    expect((reply.json() as TokenReply).scope).toBe('');
  });

  it('gives a refresh token and takes it back', async () => {
    const { username, password } = test;
    const login = await form({
      grant_type: 'password',
      service: 'registry.test',
      client_id: 'docker',
      access_type: 'offline',
      username,
      password,
      scope: 'repository:team/app:pull',
    });
    expect(login.status).toBe(200);
    const refresh = (login.json() as TokenReply).refresh_token ?? '';
    const again = await form({
      grant_type: 'refresh_token',
      service: 'registry.test',
      client_id: 'docker',
      refresh_token: refresh,
      scope: 'repository:team/app:pull repository:team/app/b:pull',
    });
    expect(again.status).toBe(200);
    const { token, scope } = again.json() as TokenReply;
    expect(scope).toBe('repository:team/app:pull repository:team/app/b:pull');
    const pulled = await test.send('GET', '/v2/team/app/manifests/v1', { authorization: `Bearer ${token}` });
    expect(pulled.status).toBe(200);
    const zero = Buffer.from(`00000000-0000-0000-0000-000000000000:${refresh}`).toString('base64');
    const basic = await test.send('GET', '/oauth2/token?scope=registry:catalog:*', {
      authorization: `Basic ${zero}`,
    });
    expect(basic.status).toBe(200);
    const catalog = await test.send('GET', '/v2/_catalog', {
      authorization: `Bearer ${(basic.json() as TokenReply).token}`,
    });
    expect(catalog.json()).toEqual({ repositories: ['team/app'] });
  });

  it('refuses what proves nothing, and records it', async () => {
    const wrong = Buffer.from('admin:wrong').toString('base64');
    expect((await test.send('GET', '/oauth2/token', { authorization: null })).status).toBe(401);
    const denied = await test.send('GET', '/oauth2/token', { authorization: `Basic ${wrong}` });
    expect(denied.status).toBe(401);
    expect(denied.headers['www-authenticate']).toBe('Basic realm="registry.test"');
    expect((await form({ grant_type: 'password', username: 'admin', password: 'wrong' })).status).toBe(401);
    expect((await form({ grant_type: 'refresh_token', refresh_token: 'x' })).status).toBe(401);
    expect((await form({ grant_type: 'magic' })).status).toBe(400);
    expect((await form({ grant_type: 'password', service: 'elsewhere' })).status).toBe(400);
    expect((await test.send('GET', '/oauth2/token?service=elsewhere')).status).toBe(400);
    expect((await test.send('PUT', '/oauth2/token')).status).toBe(405);
    expect((await form({ filler: 'x'.repeat(70_000) })).status).toBe(413);
    await test.store.journal.drain();
    const { records } = await test.store.audit.list({ action: 'login.failed', limit: 100 });
    expect(records.length).toBeGreaterThanOrEqual(3);
    expect(records.every((record) => record.result === 'denied' && record.address === '127.0.0.1')).toBe(
      true,
    );
    expect(JSON.stringify(records)).not.toContain('wrong');
  });

  it('slows down who keeps guessing, but not who knows', async () => {
    const wrong = Buffer.from('admin:guess').toString('base64');
    const statuses = new Set<number>();
    let retryAfter: string | undefined;
    for (let count = 0; count < 40; count++) {
      const reply = await test.send('GET', '/v2/', { authorization: `Basic ${wrong}` });
      statuses.add(reply.status);
      retryAfter = reply.headers['retry-after'] ?? retryAfter;
    }
    expect([...statuses].toSorted()).toEqual([401, 429]);
    expect(Number(retryAfter)).toBeGreaterThan(0);
    expect((await test.send('GET', '/v2/')).status).toBe(200);
    await test.store.journal.drain();
    const { records } = await test.store.audit.list({ action: 'login.failed', limit: 100 });
    expect(records.length).toBeLessThan(25);
  });
});
