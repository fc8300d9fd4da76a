// What other folders may use of the advisories.
export { type BuildProgress, buildAdvisoryFile } from './build.ts';
export { differenceOf, differenceSteps, factsDifferenceOf, type PackageKey } from './difference.ts';
export { distributionEcosystem } from './distribution.ts';
export { openAdvisoryFile } from './file/read.ts';
export { openAdvisories } from './installed.ts';
export { matchVersion, rangeInWords } from './match.ts';
export { normalizePackageName } from './package-name.ts';
export { advisoriesLackEpoch, advisoryNaming, subscriptionOf } from './rpm-distribution.ts';
export { findingSeverity } from './severity.ts';
export { starterAdvisories } from './starter.ts';
export { advisoryStatus, lookupAdvisories } from './status.ts';
export type * from './types.ts';
export { goToolchainVersion, versionScheme } from './versions/index.ts';
export * from './update/index.ts';
