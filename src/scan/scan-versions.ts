// What a stored result was made with: all catalogers and the rules for secrets.
import { catalogerVersions } from './catalogers.ts';
import { secretsVersion } from './secrets/rules.ts';

/** Stored images whose results were made by others are scanned again when they are pushed again. */
export const scanVersions: string = `${catalogerVersions} ${secretsVersion}`;
