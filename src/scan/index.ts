// Scanning: images and directories to packages, packages to findings.
export * from './types.ts';
export { fileLayerCache, memoryLayerCache } from './layer-cache.ts';
export { scanRoutes } from './routes.ts';
export { scanDirectory } from './scan-directory.ts';
export { scanImage } from './scan-image.ts';
export { createScanService, type RegistryAccess, type ScanService } from './service.ts';
