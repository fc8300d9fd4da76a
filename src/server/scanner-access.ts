// How the scanner reaches the registry: with a short-lived token that may pull one repository.
import type { Identity } from '../identity/index.ts';
import type { RegistryAccess } from '../scan/index.ts';
import type { ListenAddress } from './types.ts';

/** Longer than a scan may take, in seconds. */
const TOKEN_SECONDS = 3_600;

/** The registry of this process where there is one, else the one at `registryUrl`. */
export function scannerAccess(
  identity: Identity,
  service: string,
  listening: Promise<ListenAddress> | null,
  registryUrl: string | undefined,
): (repository: string) => Promise<RegistryAccess> {
  return async (repository) => ({
    ...(listening === null ? fromUrl(registryUrl) : fromAddress(await listening)),
    token: await identity.issueSystemToken(
      'system:scanner',
      [{ type: 'repository', name: repository, actions: ['pull'] }],
      service,
      TOKEN_SECONDS,
    ),
  });
}

function fromAddress({ host, port }: ListenAddress): Omit<RegistryAccess, 'token'> {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return {
    registry: reachable.includes(':') ? `[${reachable}]:${port}` : `${reachable}:${port}`,
    plainHttp: true,
  };
}

function fromUrl(text: string | undefined): Omit<RegistryAccess, 'token'> {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  return { registry: url?.host ?? '', plainHttp: url?.protocol === 'http:' };
}
