// What can go wrong with a scan as a whole. What concerns single files is a problem in the report instead.
import { defineErrors } from '../core/index.ts';

export const scanErrors = defineErrors('scan', {
  SCAN_TOO_MANY_LAYERS: {
    status: 422,
    message: 'image has {count} layers, more than the {limit} that are read',
    hint: 'Squash the image; no container runtime mounts that many layers.',
    exit: 3,
  },
  SCAN_TOO_MANY_IMAGES: {
    status: 422,
    message: 'index names more than the {limit} images that are scanned at once',
    hint: 'Choose one platform, or scan the images by their digests.',
    exit: 3,
  },
  SCAN_INDEX_TOO_DEEP: {
    status: 422,
    message: 'index holds indexes more than {limit} deep',
    hint: 'Scan the images by their digests; no tool makes such an index on purpose.',
    exit: 3,
  },
  SCAN_NO_SUCH_PLATFORM: {
    status: 404,
    message: 'image has no manifest for platform {platform}; it has {available}',
    hint: 'Choose one of the platforms it has, or scan all of them by leaving the platform out.',
    exit: 3,
  },
  SCAN_TARGET_UNREADABLE: {
    status: 422,
    message: 'cannot read {target}: {reason}',
    hint: 'Check that the path exists, is a directory and may be read by this user.',
    exit: 3,
  },
  SCAN_MEMORY_LIMIT: {
    status: 422,
    message: 'scan stopped: it used {used} MiB of memory, more than the limit of {limit} MiB',
    hint: 'Raise the memory limit of scans, or look at the image: it may be made to exhaust scanners.',
  },
  SCAN_TIME_LIMIT: {
    status: 422,
    message: 'scan stopped after {seconds} seconds',
    hint: 'Raise the time limit of scans, or look at the image: it may be made to exhaust scanners.',
  },
  SCAN_PROCESS_ENDED: {
    status: 500,
    message: 'scan process ended before it had a result ({how})',
    hint: 'The scan is tried again. If it keeps failing, look for memory pressure on this machine.',
  },
  SCAN_PROCESS_MESSAGE: {
    status: 500,
    message: 'scan process sent a message that cannot be understood',
    hint: 'Make sure that all of Breakwater is of one version, then scan again.',
  },
  SCAN_CANCELLED: {
    status: 503,
    message: 'scan was cancelled',
    hint: 'It is taken up again when the server is back.',
  },
  SCAN_FAILED: {
    status: 500,
    message: 'scan failed: {reason}',
    hint: 'Scan again; if it fails the same way, report it with the image.',
  },
  SCAN_IMAGE_UNKNOWN: {
    status: 404,
    message: 'no stored image has the digest {digest}',
    hint: 'List the images with GET /api/v1/images.',
    exit: 3,
  },
  SCAN_EXEMPTIONS_INVALID: {
    status: 400,
    message: 'the exemptions in {file} are not valid: {reason}',
    hint: 'Each needs reason, owner and expires, and at least one of vulnerability, package and path; see docs/exemptions.md.',
    exit: 2,
  },
  SCAN_EXEMPTION_UNKNOWN: {
    status: 404,
    message: 'there is no exemption {id}',
    hint: 'List the exemptions with GET /api/v1/exemptions.',
    exit: 3,
  },
  SCAN_VEX_INVALID: {
    status: 422,
    message: '{file} is no VEX document that can be read: {reason}',
    hint: 'OpenVEX, CycloneDX (JSON, with "analysis") and CSAF 2.0 are read.',
    exit: 2,
  },
  SCAN_SBOM_INVALID: {
    status: 422,
    message: '{file} is no SBOM that can be read: {reason}',
    hint: 'CycloneDX JSON 1.4 to 1.6, SPDX 2.3 JSON and Syft JSON are read.',
    exit: 3,
  },
  SCAN_CURSOR_INVALID: {
    status: 400,
    message: 'the cursor is not one that this list handed out',
    hint: 'Leave the cursor out to start from the beginning.',
    exit: 2,
  },
});
