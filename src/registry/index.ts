// The OCI registry: distribution-spec 1.1 over the store, and what the server and the REST API need of it.
export { registryErrors } from './errors.ts';
export { createRegistry } from './registry.ts';
export { registryRoutes } from './routes.ts';
export type { RegistryRoutesOptions } from './routes.ts';
export type { RepositorySummary } from './store-lists.ts';
export type {
  GarbageOptions,
  GarbageReport,
  Registry,
  RegistryAdministration,
  RegistryLimits,
  RegistryOptions,
  TagSummary,
} from './types.ts';
