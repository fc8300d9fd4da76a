// Registry credentials from the files that docker and podman log in to (config.json, auth.json; containers-auth.json(5)).
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describeError, MiB, systemErrorCode } from '../../core/index.ts';
import { ociErrors } from '../errors.ts';
import { isJsonObject, type JsonObject, parseJsonObject, stringAt } from '../json-document.ts';

/** How to authenticate to a registry. A secret: never log it. */
export type RegistryCredential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** An OAuth 2 refresh token, as `docker login` stores it for registries that give one (`identitytoken`). */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** A bearer token for the registry itself; no token server is asked. */
  | { readonly kind: 'bearer'; readonly token: string };

const MAX_FILE_BYTES = MiB;
const DOCKER_HUB_KEYS = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/**
 * The stored credential for a repository, or null. Looks at `REGISTRY_AUTH_FILE` alone when it is set, else at podman's
 * and docker's files in turn. The longest matching key wins (podman keeps `host/namespace` too). Credential helpers are
 * not asked. Throws `OCI_CREDENTIALS_INVALID` for a file that is there and cannot be read.
 */
export async function findCredential(
  registry: string,
  repository: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<RegistryCredential | null> {
  for (const path of credentialFiles(environment)) {
    const entries = await readAuths(path);
    const credential = entries && bestMatch(entries, `${registry}/${repository}`);
    if (credential) return credential;
  }
  return null;
}

/** The files in the order they are asked. Without XDG_RUNTIME_DIR skopeo, podman and buildah write to `/run/containers/UID`. */
export function credentialFiles(
  environment: Readonly<Record<string, string | undefined>>,
  userId = process.getuid?.(),
): string[] {
  const explicit = environment['REGISTRY_AUTH_FILE'];
  if (explicit) return [explicit];
  const home = environment['HOME'] ?? homedir();
  const runtime = environment['XDG_RUNTIME_DIR'];
  const shared = runtime
    ? join(runtime, 'containers')
    : userId === undefined
      ? null
      : `/run/containers/${userId}`;
  const config = environment['XDG_CONFIG_HOME'] ?? join(home, '.config');
  return [
    ...(shared === null ? [] : [join(shared, 'auth.json')]),
    join(config, 'containers', 'auth.json'),
    join(environment['DOCKER_CONFIG'] ?? join(home, '.docker'), 'config.json'),
  ];
}

async function readAuths(path: string): Promise<JsonObject | null> {
  const invalid = (reason: string, cause?: unknown): Error =>
    ociErrors.create('OCI_CREDENTIALS_INVALID', { path, reason }, cause);
  const bytes = await readBounded(path).catch((error: unknown) => {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw invalid(describeError(error), error);
  });
  if (bytes === null) return null;
  if (bytes.length > MAX_FILE_BYTES) throw invalid('it is too large');
  if (bytes.length === 0) return null;
  const document = parseJsonObject(bytes);
  if (typeof document === 'string') throw invalid(document);
  const auths = document['auths'];
  return isJsonObject(auths) ? auths : null;
}

async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function bestMatch(auths: JsonObject, name: string): RegistryCredential | null {
  let best: { readonly length: number; readonly credential: RegistryCredential } | null = null;
  for (const [written, entry] of Object.entries(auths)) {
    const key = normalizeKey(written);
    if (!isJsonObject(entry) || (name !== key && !name.startsWith(`${key}/`))) continue;
    if (best !== null && best.length >= key.length) continue;
    const credential = readEntry(entry);
    if (credential !== null) best = { length: key.length, credential };
  }
  return best?.credential ?? null;
}

/** docker writes `https://index.docker.io/v1/`, older tools other URLs; podman bare names. */
function normalizeKey(key: string): string {
  const name = key
    .replace(/^https?:\/\//, '')
    .replace(/\/v[12]\/?$/, '')
    .replace(/\/+$/, '');
  const slash = name.indexOf('/');
  const host = slash < 0 ? name : name.slice(0, slash);
  return DOCKER_HUB_KEYS.includes(host) ? `docker.io${name.slice(host.length)}` : name;
}

function readEntry(entry: JsonObject): RegistryCredential | null {
  const identityToken = stringAt(entry, 'identitytoken');
  if (identityToken) return { kind: 'identity-token', token: identityToken };
  const registryToken = stringAt(entry, 'registrytoken');
  if (registryToken) return { kind: 'bearer', token: registryToken };
  const auth = stringAt(entry, 'auth');
  const decoded = auth ? Buffer.from(auth, 'base64').toString('utf8') : '';
  const colon = decoded.indexOf(':');
  if (colon > 0) {
    const password = decoded.slice(colon + 1).replace(/\0+$/, '');
    return { kind: 'basic', username: decoded.slice(0, colon), password };
  }
  const username = stringAt(entry, 'username');
  const password = stringAt(entry, 'password');
  return username && password !== undefined ? { kind: 'basic', username, password } : null;
}
