// The REST API of a real server: credentials everywhere, coded errors, jobs, audit trail, pages, metrics.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openTestPlace, type TestPlace } from '../src/store/testing.ts';
import { databaseOf } from './fixtures/server-database.ts';
import { eventually, startTestServer, type TestRequest, type TestServer } from './fixtures/server.ts';
import { pushSmallImage, smallImage } from './fixtures/small-image.ts';

const PUBLIC = ['/healthz', '/readyz'];
const openapi = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), z.object({ responses: z.unknown() }))),
});
const errorShape = z.object({ error: z.object({ code: z.string(), message: z.string(), hint: z.string() }) });
const image = smallImage('lodash');

describe('REST API', () => {
  let place: TestPlace;
  let server: TestServer;
  let description: z.infer<typeof openapi>;

  beforeAll(async () => {
    place = await openTestPlace();
    server = await startTestServer({ data: place.options.dataDirectory, env: databaseOf(place) });
    description = openapi.parse(await server.json('/api/v1/openapi.json'));
    const { username, password } = server.credential;
    await pushSmallImage(image, {
      registry: server.registry,
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      repository: 'shop/b',
      tag: '1.0',
    });
    await eventually(
      () => server.json(`/api/v1/images/${image.digest}/scan`),
      (body) => z.object({ status: z.string() }).parse(body).status === 'finished',
      30_000,
      'the scan',
    );
  });

  afterAll(async () => {
    await server?.stop();
    await place?.remove();
  });

  const anonymous = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(new URL(path, server.api), init);

  /** Every operation of the OpenAPI document, its parameters filled with values of the right form. */
  function operations(): { method: string; path: string }[] {
    return Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({
        method: method.toUpperCase(),
        path: path
          .replace('{digest}', image.digest)
          .replace('{repository}', 'shop')
          .replace('{tag}', '1.0')
          .replaceAll(/\{[a-z]+\}/gi, '00000000-0000-4000-8000-000000000000'),
      })),
    );
  }

  it('is described by OpenAPI 3.1', () => {
    expect(description.openapi).toMatch(/^3\.1/);
    const paths = Object.keys(description.paths);
    for (const path of [
      '/images',
      '/findings',
      '/jobs',
      '/audit',
      '/webhooks',
      '/events/stream',
      '/backup',
      '/advisories/status',
    ]) {
      expect(paths).toContain(`/api/v1${path}`);
    }
    expect(operations().length).toBeGreaterThan(25);
  });

  it('answers no path without a credential, and says how to sign in', async () => {
    for (const { method, path } of [
      ...operations(),
      { method: 'GET', path: '/' },
      { method: 'GET', path: '/images/x' },
    ]) {
      if (PUBLIC.includes(path)) continue;
      const response = await anonymous(path, { method });
      expect(`${method} ${path} ${response.status}`).toBe(`${method} ${path} 401`);
      expect(response.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
      expect(errorShape.parse(await response.json()).error.code).toBe('SERVER_UNAUTHORIZED');
    }
    for (const path of ['/nothing/here', '/api/v1/nothing', '/api/v2/images', '/api/v1/images/']) {
      expect((await anonymous(path)).status, path).toBe(401);
    }
  });

  it('sends security headers with every answer', async () => {
    for (const path of ['/', '/api/v1/images', '/healthz', '/nothing']) {
      const { headers } = await server.request(path);
      expect(headers.get('content-security-policy'), path).toContain("default-src 'none'");
      expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  it('gives coded errors for what is not there and what is not valid', async () => {
    const code = async (path: string, init?: TestRequest): Promise<[number, string, string]> => {
      const response = await server.request(path, init);
      const { error } = errorShape.parse(await response.json());
      expect(error.hint.length).toBeGreaterThan(10);
      return [response.status, error.code, error.message];
    };
    expect((await code('/api/v1/nothing')).slice(0, 2)).toEqual([404, 'SERVER_NOT_FOUND']);
    expect(await code('/api/v1/jobs?limit=100000')).toEqual([
      400,
      'SERVER_REQUEST_INVALID',
      expect.stringContaining('limit'),
    ]);
    expect((await code('/api/v1/jobs/00000000-0000-4000-8000-000000000000')).slice(0, 2)).toEqual([
      404,
      'SERVER_NOT_FOUND',
    ]);
    expect((await code('/api/v1/jobs?cursor=garbage')).slice(0, 1)).toEqual([400]);
    const json = { 'content-type': 'application/json' };
    const post = (body: string, headers: Record<string, string> = json): Promise<[number, string, string]> =>
      code('/api/v1/webhooks', { method: 'POST', body, headers });
    expect((await post('{"name":'))[0]).toBe(400);
    expect((await post('{"name":"a","url":"https://x.example","events":["no.such"]}'))[2]).toContain(
      'events',
    );
    expect((await post('x', { 'content-type': 'text/csv' })).slice(0, 2)).toEqual([
      415,
      'SERVER_MEDIA_TYPE_UNSUPPORTED',
    ]);
    expect((await post(`"${'x'.repeat(2_000_000)}"`)).slice(0, 2)).toEqual([413, 'SERVER_BODY_TOO_LARGE']);
    expect((await anonymous('/%zz')).status).toBe(400);
  });

  it('calls what the database cannot hold a fault of the request', async () => {
    const cursor = (text: string): string => Buffer.from(text).toString('base64url');
    for (const path of [
      'audit?actor=%00',
      'jobs?queue=%00',
      'findings?package=a%00',
      'images?repository=%00',
      'repositories/a%00/tags',
      `repositories?cursor=${cursor('["\\u0000"]')}`,
      `images?cursor=${cursor('["-271821-04-20T00:00:00.000Z","x"]')}`,
    ]) {
      const response = await server.request(`/api/v1/${path}`);
      expect(response.status, path).toBe(400);
      expect(errorShape.parse(await response.json()).error.code, path).toMatch(/_INVALID$/);
    }
    for (const path of ['_catalog?last=%00', `shop/b/referrers/${image.digest}?artifactType=%00`]) {
      const { username, password } = server.credential;
      const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      const response = await fetch(`http://${server.registry}/v2/${path}`, { headers: { authorization } });
      expect(response.status, path).toBe(400);
    }
    const far = await server.request(`/api/v1/findings?cursor=${cursor('999999999999999.1')}`);
    expect([far.status, await far.json()]).toEqual([200, { findings: [], nextCursor: null }]);
  });

  it('lets no other web site change anything', async () => {
    const path = `/api/v1/images/${image.digest}/scan`;
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]) {
      const response = await server.request(path, { method: 'POST', headers });
      expect([response.status, errorShape.parse(await response.json()).error.code]).toEqual([
        403,
        'SERVER_CROSS_SITE',
      ]);
    }
    const same = await server.request(path, {
      method: 'POST',
      headers: { origin: server.api, 'sec-fetch-site': 'same-origin' },
    });
    expect(same.status).toBe(202);
  });

  it('takes bearer tokens with the API scope and no others', async () => {
    const token = async (scope: string): Promise<string> => {
      const url = new URL(`http://${server.registry}/oauth2/token`);
      url.searchParams.set('service', 'breakwater-registry');
      url.searchParams.set('scope', scope);
      const { username, password } = server.credential;
      const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      const response = await fetch(url, { headers: { authorization } });
      return z.object({ access_token: z.string() }).parse(await response.json()).access_token;
    };
    const status = async (bearer: string, method = 'GET', path = '/api/v1/images'): Promise<number> =>
      (await anonymous(path, { method, headers: { authorization: `Bearer ${bearer}` } })).status;
    const reading = await token('api:v1:read');
    expect(await status(reading)).toBe(200);
    expect(await status(reading, 'POST', `/api/v1/images/${image.digest}/scan`)).toBe(403);
    expect(await status(await token('repository:shop/b:pull'))).toBe(403);
    expect(await status('not.a.token')).toBe(401);
  });

  it('lists images, packages and findings of the starter advisories, and says that they are a starter', async () => {
    const found = z
      .object({
        packages: z.array(z.object({ name: z.string() })),
        scan: z.object({ advisories: z.object({ kind: z.string(), notices: z.array(z.string()) }) }),
      })
      .parse(await server.json(`/api/v1/images/${image.digest}`));
    expect(found.packages.map((item) => item.name)).toEqual(['lodash']);
    expect(found.scan.advisories.kind).toBe('starter');
    expect(found.scan.advisories.notices.join()).toContain('starter advisories');
    expect(await server.json('/api/v1/advisories/status')).toMatchObject({ kind: 'starter' });
  });

  it('shows jobs and the audit trail', async () => {
    const jobs = z.object({
      jobs: z.array(z.object({ id: z.string(), queue: z.string(), state: z.string() })),
    });
    const { jobs: scans } = jobs.parse(await server.json('/api/v1/jobs?queue=scan-image&state=completed'));
    expect(scans.length).toBeGreaterThan(0);
    expect(await server.json(`/api/v1/jobs/${scans[0]?.id}`)).toMatchObject({
      queue: 'scan-image',
      state: 'completed',
    });
    const again = await server.request(`/api/v1/jobs/${scans[0]?.id}/retry`, { method: 'POST' });
    expect([again.status, errorShape.parse(await again.json()).error.code]).toEqual([
      409,
      'SERVER_JOB_NOT_FAILED',
    ]);
    const audit = await eventually(
      () => server.json('/api/v1/audit?limit=200'),
      (body) =>
        JSON.stringify(body).includes('manifest.push') && JSON.stringify(body).includes('login.failed'),
      10_000,
      'the audit records',
    );
    expect(JSON.stringify(audit)).not.toContain(server.credential.password);
    expect(await server.json('/api/v1/audit/verification')).toMatchObject({ intact: true });
  });

  it('shows the page and the image without script', async () => {
    const list = await server.request('/');
    expect(list.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(list.headers.get('content-security-policy')).toMatch(/style-src 'sha256-/);
    const text = await list.text();
    expect(text).toContain(`/images/${image.digest}`);
    expect(text).toContain('starter advisories');
    expect(text).not.toContain('<script');
    const detail = await server.request(`/images/${image.digest}`);
    expect(detail.status).toBe(200);
    expect(await detail.text()).toContain('<h1>');
    const unknown = await server.request(`/images/sha256:${'0'.repeat(64)}`);
    expect(unknown.status).toBe(404);
    expect(await unknown.text()).toContain('SCAN_IMAGE_UNKNOWN');
  });

  it('gives metrics to this machine, not to what comes through a proxy or under a foreign name', async () => {
    const metrics = await anonymous('/metrics');
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toContain('breakwater_api_request_duration_seconds_bucket');
    expect((await anonymous('/metrics', { headers: { 'x-forwarded-for': '10.0.0.1' } })).status).toBe(401);
  });

  // Last: it uses up this address's failures.
  it('slows down whoever guesses passwords, but not who knows', async () => {
    const guess = (): Promise<Response> =>
      anonymous('/api/v1/images', {
        headers: { authorization: `Basic ${Buffer.from('admin:wrong').toString('base64')}` },
      });
    let last = await guess();
    for (let i = 0; i < 40 && last.status === 401; i++) last = await guess();
    expect(last.status).toBe(429);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await server.request('/api/v1/images')).status).toBe(200);
  });
});
