// Turns what the operating system reports about an object into a coded error.
import { BreakwaterError, describeError, systemErrorCode } from '../../core/index.ts';
import { storeErrors } from '../errors.ts';

/** STORE_BLOB_UNKNOWN, STORE_BLOB_NO_SPACE or STORE_BLOB_IO; coded errors pass unchanged. */
export function blobError(id: string, error: unknown): BreakwaterError {
  if (error instanceof BreakwaterError) return error;
  switch (systemErrorCode(error)) {
    case 'ENOENT':
      return storeErrors.create('STORE_BLOB_UNKNOWN', { id }, error);
    case 'EEXIST':
      return storeErrors.create('STORE_BLOB_EXISTS', { id }, error);
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return storeErrors.create('STORE_BLOB_NO_SPACE', { id }, error);
    default:
      return storeErrors.create('STORE_BLOB_IO', { id, reason: describeError(error) }, error);
  }
}
