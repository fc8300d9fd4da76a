// Error catalogue of the HTTP server.
import { defineErrors } from '../core/index.ts';

export const serverErrors = defineErrors('server', {
  SERVER_ADDRESS_IN_USE: {
    status: 503,
    message: 'cannot listen on {address}: another program uses it',
    hint: 'Stop the other program, or choose another address with {option} (port 0 takes any free port).',
    exit: 2,
  },
  SERVER_ADDRESS_UNUSABLE: {
    status: 503,
    message: 'cannot listen on {address}: {reason}',
    hint: 'Give an address of this machine and a port this user may use with {option}.',
    exit: 2,
  },
  SERVER_ROLE_NEEDS_DATABASE: {
    status: 503,
    message: 'the role {role} shares its work with other processes, which the embedded database cannot do',
    hint: 'Set DATABASE_URL to a PostgreSQL server, or leave --role out to run everything in one process.',
    exit: 2,
  },
  SERVER_ROLE_NEEDS_REGISTRY: {
    status: 503,
    message: 'the role worker scans images of a registry process, whose address is not known',
    hint: 'Set --registry-url to the address of the process with the role registry.',
    exit: 2,
  },
  SERVER_UNAUTHORIZED: {
    status: 401,
    message: 'a valid credential is required',
    hint: 'Use the administrator credential with HTTP Basic, or a bearer token of /oauth2/token.',
    exit: 3,
  },
  SERVER_FORBIDDEN: {
    status: 403,
    message: '{subject} may not use this API',
    hint: 'Sign in as an administrator.',
    exit: 1,
  },
  SERVER_CROSS_SITE: {
    status: 403,
    message: 'a request from another web site may not change anything here',
    hint: 'Send the request from a program, or from a page of this server.',
    exit: 1,
  },
  SERVER_TOO_MANY_FAILURES: {
    status: 429,
    message: 'too many failed sign-ins from this address',
    hint: 'Wait {seconds} seconds, then use the right credential.',
    exit: 3,
  },
  SERVER_NOT_FOUND: {
    status: 404,
    message: 'there is no {what}',
    hint: 'The list of all paths is at /api/v1/openapi.json.',
    exit: 3,
  },
  SERVER_REQUEST_INVALID: {
    status: 400,
    message: 'the request is not valid: {problems}',
    hint: 'The description of every request is at /api/v1/openapi.json.',
    exit: 2,
  },
  SERVER_BODY_TOO_LARGE: {
    status: 413,
    message: 'the request body is larger than this path takes',
    hint: 'Send at most 1 MiB.',
    exit: 2,
  },
  SERVER_MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    message: 'the request body is not of a type this path takes',
    hint: 'Send JSON with Content-Type: application/json.',
    exit: 2,
  },
  SERVER_INTERNAL: {
    status: 500,
    message: 'the server failed to answer; request {request}',
    hint: 'Look for the request id in the server log, and report it.',
  },
  SERVER_STOPPING: {
    status: 503,
    message: 'the server is stopping',
    hint: 'Try again in a moment.',
    exit: 3,
  },
  SERVER_STREAM_FULL: {
    status: 503,
    message: 'already {count} clients follow the events',
    hint: 'Close one, or read the lists of the API instead.',
    exit: 3,
  },
  SERVER_WEBHOOK_URL_INVALID: {
    status: 400,
    message: 'the webhook address {url} cannot be used: {reason}',
    hint: 'Use an http or https address without user name and password.',
    exit: 2,
  },
  SERVER_WEBHOOK_PRIVATE_REFUSED: {
    status: 403,
    message: 'this server does not send webhooks to private addresses',
    hint: 'Start the server with --webhook-allow-private if the receiver is in your own network.',
    exit: 2,
  },
  SERVER_WEBHOOK_NAME_TAKEN: {
    status: 409,
    message: 'there is already a webhook named {name}',
    hint: 'Choose another name, or change the existing webhook.',
    exit: 2,
  },
  SERVER_WEBHOOK_LIMIT: {
    status: 409,
    message: 'there are already {count} webhooks',
    hint: 'Delete one that is not needed any more.',
    exit: 2,
  },
  SERVER_WEBHOOK_SECRET_UNREADABLE: {
    status: 500,
    message: 'the secret of webhook {name} cannot be decrypted',
    hint: 'It was stored with another key file. Restore keys/webhook-secrets, or make a new secret with POST /api/v1/webhooks/ID/secret.',
  },
  SERVER_KEY_UNREADABLE: {
    status: 500,
    message: 'the key file {path} cannot be used: {reason}',
    hint: 'Restore the file from a backup, or remove it and give every webhook a new secret.',
  },
  SERVER_WEBHOOK_REJECTED: {
    status: 502,
    message: 'the receiver answered with status {status}',
    hint: 'A receiver accepts a delivery with any status from 200 to 299; redirects are not followed.',
    exit: 3,
  },
  SERVER_RESTORE_UNFINISHED: {
    status: 503,
    message: 'a restore into {dataDirectory} broke off, so its data is not whole',
    hint: 'Remove the data directory (or empty the database) and run "breakwater restore" again.',
    exit: 3,
  },
  SERVER_BACKUP_RUNNING: {
    status: 409,
    message: 'a backup is being made already',
    hint: 'Wait until it has been sent; one at a time is made.',
    exit: 3,
  },
  SERVER_JOB_NOT_FAILED: {
    status: 409,
    message: 'job {id} is not a failed job',
    hint: 'Only jobs with the state failed can be put back in their queue.',
    exit: 2,
  },
});
