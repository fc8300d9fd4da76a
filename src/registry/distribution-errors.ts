// The errors of the registry protocol as JSON (OCI distribution-spec 1.1, "Error Codes").
import type { ServerResponse } from 'node:http';

/** The codes of the specification. 4xx answers carry no others; 5xx answers may also carry {@link ServerErrorCode}. */
export type DistributionErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS';

export type ServerErrorCode = 'UNAVAILABLE' | 'STORAGE_FULL' | 'UNKNOWN';

const MESSAGES: Readonly<Record<DistributionErrorCode | ServerErrorCode, string>> = {
  BLOB_UNKNOWN: 'blob unknown to registry',
  BLOB_UPLOAD_INVALID: 'blob upload invalid',
  BLOB_UPLOAD_UNKNOWN: 'blob upload unknown to registry',
  DIGEST_INVALID: 'provided digest did not match uploaded content',
  MANIFEST_BLOB_UNKNOWN: 'manifest references a manifest or blob unknown to registry',
  MANIFEST_INVALID: 'manifest invalid',
  MANIFEST_UNKNOWN: 'manifest unknown to registry',
  NAME_INVALID: 'invalid repository name',
  NAME_UNKNOWN: 'repository name not known to registry',
  SIZE_INVALID: 'provided length did not match content length',
  UNAUTHORIZED: 'authentication required',
  DENIED: 'requested access to the resource is denied',
  UNSUPPORTED: 'the operation is unsupported',
  TOOMANYREQUESTS: 'too many requests',
  UNAVAILABLE: 'the registry cannot serve this now; try again',
  STORAGE_FULL: 'the registry has no space left; the upload can be resumed when there is',
  UNKNOWN: 'internal error',
};

export interface DistributionFault {
  readonly code: DistributionErrorCode | ServerErrorCode;
  readonly message?: string;
  readonly detail?: unknown;
}

/** Ends a request with an error answer. Thrown by handlers, turned into JSON at the edge. */
export class DistributionError extends Error {
  readonly status: number;
  readonly faults: readonly DistributionFault[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    faults: DistributionFault | readonly DistributionFault[],
    headers: Readonly<Record<string, string>> = {},
  ) {
    const list = 'code' in faults ? [faults] : faults;
    super(list[0] === undefined ? 'registry error' : (list[0].message ?? MESSAGES[list[0].code]));
    this.name = 'DistributionError';
    this.status = status;
    this.faults = list;
    this.headers = headers;
  }
}

/** The JSON body of an error answer. */
export function errorBody(faults: readonly DistributionFault[]): string {
  return JSON.stringify({
    errors: faults.map(({ code, message, detail }) => ({
      code,
      message: message ?? MESSAGES[code],
      ...(detail === undefined ? {} : { detail }),
    })),
  });
}

/** Writes an error answer; a HEAD request gets the head only. */
export function sendError(response: ServerResponse, error: DistributionError): void {
  const body = errorBody(error.faults);
  response.writeHead(error.status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...error.headers,
  });
  response.end(body);
}

export function blobUnknown(digest: string): DistributionError {
  return new DistributionError(404, { code: 'BLOB_UNKNOWN', detail: { digest } });
}

export function manifestUnknown(repository: string, reference: string): DistributionError {
  return new DistributionError(404, {
    code: 'MANIFEST_UNKNOWN',
    detail: { name: repository, reference },
  });
}

export function repositoryUnknown(repository: string): DistributionError {
  return new DistributionError(404, { code: 'NAME_UNKNOWN', detail: { name: repository } });
}

export function digestInvalid(digest: string, message?: string): DistributionError {
  const shown = digest.slice(0, 256);
  return new DistributionError(400, {
    code: 'DIGEST_INVALID',
    ...(message === undefined ? {} : { message }),
    detail: { digest: shown },
  });
}

export function methodNotAllowed(allowed: string): DistributionError {
  return new DistributionError(405, { code: 'UNSUPPORTED' }, { allow: allowed });
}

/** Another process has ended or changed the upload this request was working on. */
export function uploadTaken(): DistributionError {
  return new DistributionError(409, {
    code: 'BLOB_UPLOAD_INVALID',
    message: 'the upload was changed by another request',
  });
}

export function unavailable(message?: string): DistributionError {
  return new DistributionError(
    503,
    message === undefined ? { code: 'UNAVAILABLE' } : { code: 'UNAVAILABLE', message },
    { 'retry-after': '2' },
  );
}
