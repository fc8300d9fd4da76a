// Secrets with an inner document: JSON Web Tokens (RFC 7519), private keys (RFC 7468, OpenSSH), service account files.
import { isJsonObject, jsonOf } from './json.ts';

/** Three parts; the first two decode to JSON objects, the header names an algorithm that signs. */
export function isSignedJwt(value: string): boolean {
  const [header = '', payload = '', signature = ''] = value.split('.');
  const decoded = jsonOf(Buffer.from(header, 'base64url').toString('utf8'));
  if (!isJsonObject(decoded)) return false;
  const { alg } = decoded;
  if (typeof alg !== 'string' || alg === '' || alg.toLowerCase() === 'none') return false;
  return isJsonObject(jsonOf(Buffer.from(payload, 'base64url').toString('utf8'))) && signature.length >= 16;
}

const PEM =
  /-----BEGIN ([A-Z0-9 ]{0,40})PRIVATE KEY(?: BLOCK)?-----([^-]{32,12000})-----END \1PRIVATE KEY(?: BLOCK)?-----/;
const OPENSSH_MAGIC = 'openssh-key-v1\0';

/** A private key whose body decodes to what its label says, not protected by a pass phrase. */
export function isPlainPrivateKey(value: string): boolean {
  const match = PEM.exec(value);
  if (match === null) return false;
  const label = (match[1] ?? '').trim();
  const body = (match[2] ?? '').replaceAll(/\\[nrt]/g, '\n');
  if (label === 'ENCRYPTED' || body.includes('ENCRYPTED')) return false;
  if (label === 'PGP') return /\n\s{0,4}[A-Za-z0-9+/=]{60}/.test(body);
  const base64 = body.replaceAll(/[\s"',\\]/g, '');
  if (!/^[A-Za-z0-9+/]{40,}={0,2}$/.test(base64)) return false;
  const bytes = Buffer.from(base64, 'base64');
  return label === 'OPENSSH' ? isOpenSshKey(bytes) : isDerSequence(bytes);
}

/** Magic, then the cipher's name as a string with its length: `none` means no pass phrase. */
function isOpenSshKey(bytes: Buffer): boolean {
  const at = OPENSSH_MAGIC.length;
  if (bytes.length < at + 8 || bytes.subarray(0, at).toString('latin1') !== OPENSSH_MAGIC) return false;
  const length = bytes.readUInt32BE(at);
  return length === 4 && bytes.subarray(at + 4, at + 8).toString('latin1') === 'none';
}

/** One DER SEQUENCE (X.690) that fills the bytes and starts with an INTEGER version. */
function isDerSequence(bytes: Buffer): boolean {
  if (bytes[0] !== 0x30) return false;
  const first = bytes[1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 3 || bytes.length < 2 + lengthBytes + 3) return false;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  return 2 + lengthBytes + length === bytes.length && bytes[2 + lengthBytes] === 0x02;
}

/** Around the `service_account` type stand a private key with its id and the account's address. */
export function isServiceAccount(_value: string, context: string): boolean {
  return (
    /"private_key_id"\s{0,4}:\s{0,4}"[0-9a-f]{40}"/.test(context) &&
    /"private_key"\s{0,4}:\s{0,4}"-----BEGIN (?:RSA )?PRIVATE KEY-----/.test(context) &&
    /@[a-z0-9.-]{4,100}\.gserviceaccount\.com"/.test(context)
  );
}

/** Registry credentials of a Docker configuration: base64 of `user:password`. */
export function isBasicCredential(value: string): boolean {
  const text = Buffer.from(value, 'base64').toString('utf8');
  return (
    /^[\x21-\x7e]{1,128}:[\x20-\x7e]{6,}$/.test(text) &&
    !/^[^:]{0,128}:(?:password|secret|changeme)$/i.test(text)
  );
}
