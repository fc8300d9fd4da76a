// Scanning: images and directories to packages, packages to findings.
export * from './types.ts';
export type { SecretFinding } from './secrets/types.ts';
export { fileLayerCache, memoryLayerCache } from './layer-cache.ts';
export { scanRoutes } from './routes.ts';
export { explainFinding, type ExplainedPackage, type Explanation } from './advice/explanation.ts';
export { explanationRoutes } from './advice/routes.ts';
export { adviseUpgrades } from './advice/upgrades.ts';
export { MAX_EXEMPTION_FILE_BYTES, parseExemptionFile } from './exemptions/exemption-file.ts';
export { type Exemption, isExpired } from './exemptions/exemption.ts';
export { exemptionRoutes } from './exemptions/routes.ts';
export { suppressFindings, type SuppressionRules } from './exemptions/suppression.ts';
export { type AdvisoryUpdateOptions, startAdvisoryUpdates } from './advisory-updates.ts';
export { scanDirectory } from './scan-directory.ts';
export { MAX_SBOM_BYTES, scanSbom } from './sbom/scan-sbom.ts';
export { scanImage } from './scan-image.ts';
export { createScanService, type RegistryAccess, type ScanService } from './service.ts';
export { MAX_VEX_BYTES, parseVexDocument } from './vex/document.ts';
export type { VexDocument } from './vex/types.ts';
