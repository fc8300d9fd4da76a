// Webhooks without a network: signature, sealed secrets, CloudEvents, addresses.
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { systemRandomness } from '../../core/index.ts';
import { cloudEventBody } from './cloud-event.ts';
import { openSecretBox } from './secret-box.ts';
import { makeSecret, signBody } from './signature.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-webhooks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('signature', () => {
  it('covers time and body', () => {
    const header = signBody('secret', '{"a":1}', 1_700_000_000_999);
    const expected = createHmac('sha256', 'secret').update('1700000000.{"a":1}').digest('hex');
    expect(header).toBe(`t=1700000000,v1=${expected}`);
    expect(signBody('other', '{"a":1}', 1_700_000_000_999)).not.toBe(header);
    expect(signBody('secret', '{"a":2}', 1_700_000_000_999)).not.toBe(header);
  });

  it('makes long secrets, a new one each time', () => {
    expect(makeSecret(systemRandomness)).toMatch(/^whsec_[A-Za-z0-9_-]{43}$/);
    expect(makeSecret(systemRandomness)).not.toBe(makeSecret(systemRandomness));
  });
});

describe('secret box', () => {
  it('keeps secrets across openings, in a file for this user only', async () => {
    const path = join(folder, 'keys', 'webhook-secrets');
    const sealed = (await openSecretBox(path, systemRandomness)).seal('id-1', 'whsec_x');
    expect(sealed.includes('whsec_x')).toBe(false);
    expect((await openSecretBox(path, systemRandomness)).open('id-1', sealed)).toBe('whsec_x');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('opens nothing that was changed, moved to another webhook, or sealed with another key', async () => {
    const box = await openSecretBox(join(folder, 'a'), systemRandomness);
    const sealed = box.seal('id-1', 'whsec_x');
    expect(box.open('id-2', sealed)).toBeUndefined();
    const other = await openSecretBox(join(folder, 'b'), systemRandomness);
    expect(other.open('id-1', sealed)).toBeUndefined();
    for (let i = 0; i < sealed.length; i++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(i) ^ 1, i);
      expect(box.open('id-1', changed)).toBeUndefined();
    }
    for (const length of [0, 5, 28]) expect(box.open('id-1', randomBytes(length))).toBeUndefined();
  });

  it('refuses a key file of the wrong size', async () => {
    writeFileSync(join(folder, 'short'), 'x');
    await expect(openSecretBox(join(folder, 'short'), systemRandomness)).rejects.toMatchObject({
      code: 'SERVER_KEY_UNREADABLE',
    });
  });
});

describe('cloud event', () => {
  it('has the required attributes of CloudEvents 1.0', () => {
    const body: unknown = JSON.parse(
      cloudEventBody({
        id: '1',
        name: 'image.pushed',
        at: '2026-01-01T00:00:00Z',
        body: { repository: 'a/b', digest: 'sha256:x' },
      }),
    );
    expect(body).toEqual({
      specversion: '1.0',
      id: '1',
      source: '/breakwater',
      type: 'io.breakwater.image.pushed',
      time: '2026-01-01T00:00:00Z',
      subject: 'a/b@sha256:x',
      datacontenttype: 'application/json',
      data: { repository: 'a/b', digest: 'sha256:x' },
    });
  });
});
