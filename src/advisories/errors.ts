// Error catalogue of the advisories.
import { defineErrors } from '../core/index.ts';

export const advisoryErrors = defineErrors('advisories', {
  ADVISORIES_FILE_UNREADABLE: {
    status: 500,
    message: 'cannot read the advisory file {path}: {reason}',
    hint: 'Check the path and its permissions, or make the file with "breakwater advisories build SOURCE --out PATH".',
    exit: 3,
  },
  ADVISORIES_FILE_NOT_RECOGNISED: {
    status: 500,
    message: '{path} is not an advisory file of this version: {reason}',
    hint: 'Build it again with this version: "breakwater advisories build SOURCE --out PATH".',
    exit: 3,
  },
  ADVISORIES_FILE_CORRUPT: {
    status: 500,
    message: 'the advisory file {path} is damaged: {reason}',
    hint: 'Copy it again from where it was published, or build it again.',
    exit: 3,
  },
  ADVISORIES_FILE_CLOSED: {
    status: 500,
    message: 'the advisory file {path} was closed before this look-up',
    hint: 'This is a defect in Breakwater; please report it.',
  },
  ADVISORIES_SOURCE_UNREADABLE: {
    status: 400,
    message: 'cannot read the advisory source {path}: {reason}',
    hint: 'A source is a directory of .ndjson.gz, .ndjson, .json or .zip files with OSV records, or one such file.',
    exit: 3,
  },
  ADVISORIES_SOURCE_EMPTY: {
    status: 400,
    message: 'there are no advisories in {path}',
    hint: 'A source is a directory of .ndjson.gz, .ndjson, .json or .zip files with OSV records.',
    exit: 3,
  },
  ADVISORIES_BUILD_FAILED: {
    status: 500,
    message: 'cannot write the advisory file {path}: {reason}',
    hint: 'Check that the folder exists, that this user may write to it, and that the disk is not full.',
    exit: 3,
  },
  ADVISORIES_FEED_UNKNOWN: {
    status: 400,
    message: 'there is no feed {feed}',
    hint: 'The feeds are {known}.',
    exit: 2,
  },
  ADVISORIES_SOURCES_MIXED: {
    status: 400,
    message: 'a compiled advisory file cannot be combined with other sources',
    hint: 'Give one oci:// reference or one .bwadv file, or sources of OSV records.',
    exit: 2,
  },
  ADVISORIES_UPDATE_FAILED: {
    status: 502,
    message: 'there are no advisories: {reason}',
    hint: 'Check the network and the proxy (HTTPS_PROXY), or use --mirror, --source DIR or --source oci://REGISTRY/REPOSITORY:TAG.',
    exit: 3,
  },
  ADVISORIES_ARTIFACT_INVALID: {
    status: 502,
    message: '{reference} is not an advisory artifact: {reason}',
    hint: 'Publish one with "breakwater advisories publish --to REGISTRY/REPOSITORY:TAG".',
    exit: 3,
  },
});
