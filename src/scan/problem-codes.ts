// Stable codes of what a scan could not read or decide; they stand in the report, they are not thrown.

export const PROBLEM_CODES = {
  /** A package database or manifest is malformed. */
  unreadable: 'SCAN_UNREADABLE_METADATA',
  /** A file is larger than its reader takes. */
  tooLarge: 'SCAN_FILE_TOO_LARGE',
  /** A layer holds more packages, paths or problems than are kept. */
  tooMany: 'SCAN_TOO_MANY_FILES',
  /** A file is a hard link to one whose content was not read. */
  hardLink: 'SCAN_HARD_LINK_UNREAD',
  /** The layer's bytes are not those that the image's configuration names. */
  diffId: 'SCAN_DIFF_ID_MISMATCH',
  /** The layer's media type is not one of a file system layer. */
  mediaType: 'SCAN_LAYER_MEDIA_TYPE_UNKNOWN',
  /** Advisories exist for the package, but its version is not known. */
  versionUnknown: 'SCAN_VERSION_UNKNOWN',
  /** A file or folder could not be opened. */
  unopened: 'SCAN_FILE_UNREADABLE',
  /** A file or layer was not searched for secrets to its end. */
  secretsPartial: 'SCAN_SECRETS_PARTIAL',
} as const;
