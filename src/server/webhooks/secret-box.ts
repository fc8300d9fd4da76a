// Webhook secrets at rest: AES-256-GCM under a key file of the data directory, bound to the webhook's id.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeError, type Randomness, systemErrorCode } from '../../core/index.ts';
import { serverErrors } from '../errors.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals and opens short secrets. */
export interface SecretBox {
  seal(id: string, secret: string): Buffer;
  /** Undefined when the key is another one or the bytes were changed. */
  open(id: string, sealed: Buffer): string | undefined;
}

/** Opens the key file, or makes it (mode 0600) when there is none. */
export async function openSecretBox(keyPath: string, randomness: Randomness): Promise<SecretBox> {
  const key = await readOrCreateKey(keyPath, randomness);
  return {
    seal(id, secret) {
      const nonce = randomness.bytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(Buffer.from(id));
      const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
    },
    open(id, sealed) {
      if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES));
      decipher.setAAD(Buffer.from(id));
      decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      try {
        const rest = sealed.subarray(NONCE_BYTES + TAG_BYTES);
        return Buffer.concat([decipher.update(rest), decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}

async function readOrCreateKey(path: string, randomness: Randomness): Promise<Buffer> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      const key = randomness.bytes(KEY_BYTES);
      await file.writeFile(key);
      await file.sync();
      return key;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw unusable(path, describeError(error), error);
  }
  const key = await readFile(path);
  if (key.length !== KEY_BYTES) throw unusable(path, `it has ${key.length} bytes instead of ${KEY_BYTES}`);
  return key;
}

function unusable(path: string, reason: string, cause?: unknown): Error {
  return serverErrors.create('SERVER_KEY_UNREADABLE', { path, reason }, cause);
}
