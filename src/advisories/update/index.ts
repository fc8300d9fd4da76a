// Getting advisories: downloads, mirrors, OCI artifacts, and where the current file is.
export { type PublishedAdvisories, publishAdvisories } from './artifact.ts';
export type { FeedProgress } from './gathering.ts';
export { cacheDirectory, currentAdvisories } from './locations.ts';
export { type UpdateOptions, type UpdateOutcome, updateAdvisories } from './update.ts';
