// Scanning: images and directories to packages, packages to findings.
export * from './types.ts';
export { PROBLEM_CODES } from './problem-codes.ts';
export { scanErrors } from './errors.ts';
export { catalogerVersions } from './catalogers.ts';
export { composeImage, isSystemKind, type ComposedImage } from './compose.ts';
export { scanLayer } from './layer.ts';
export { decodeLayerResult, encodeLayerResult } from './layer-encoding.ts';
export { encodedLayerCache, fileLayerCache, memoryLayerCache, type LayerBytes } from './layer-cache.ts';
export { matchPackages, type MatchResult } from './match.ts';
export { packageUrl } from './package-url.ts';
export { scanDirectory, type DirectoryScanOptions } from './scan-directory.ts';
export { scanImage } from './scan-image.ts';
export type { ScanOptions, ScanProgress } from './scan-options.ts';
export {
  scanProcessPath,
  runScanProcess,
  DEFAULT_MEMORY_LIMIT_BYTES,
  type ScanProcessOptions,
} from './process.ts';
export type { ScanProcessRequest } from './process-messages.ts';
export type { ImageScanStatus } from './scan-status.ts';
export {
  createScanService,
  type RegistryAccess,
  type ScanService,
  type ScanServiceOptions,
} from './service.ts';
export { SCAN_STATUSES, type ScanStatus, type SeverityCounts } from './store.ts';
export { scanRoutes, type ScanRoutesOptions } from './routes.ts';
