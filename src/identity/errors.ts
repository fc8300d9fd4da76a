// The error catalogue of `identity/`.
import { defineErrors } from '../core/index.ts';

export const identityErrors = defineErrors('identity', {
  IDENTITY_KEY_UNREADABLE: {
    status: 500,
    message: 'the key file {path} cannot be used: {reason}',
    hint: 'Restore the file from a backup. If it is lost, remove it: a new key is made at the next start, everybody has to log in again, and without the pepper the administrator needs a new password (start once with --new-password).',
  },
  IDENTITY_STORE_UNAVAILABLE: {
    status: 503,
    message: 'credentials cannot be checked: the database does not answer',
    hint: 'Try again in a moment. If it lasts, check the database in the server log and with `breakwater doctor`.',
  },
  IDENTITY_SYSTEM_TOKEN_INVALID: {
    status: 500,
    message: 'no token is issued for {name}: {reason}',
    hint: 'This is a fault of the program: please report it with the log lines before it.',
  },
});
