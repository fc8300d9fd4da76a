// The error codes of `registry/` that leave the folder. Protocol answers are in distribution-errors.ts.
import { defineErrors } from '../core/index.ts';

export const registryErrors = defineErrors('registry', {
  REGISTRY_LISTEN_FAILED: {
    status: 500,
    message: 'the registry cannot listen on {host}:{port}: {reason}',
    hint: 'Choose another address with --registry-listen, or stop the program that uses this one.',
    exit: 2,
  },
  REGISTRY_URL_INVALID: {
    status: 500,
    message: 'the external registry address "{url}" is not an http or https URL without path',
    hint: 'Give the address clients use, for example https://registry.example.org.',
    exit: 2,
  },
  REGISTRY_CURSOR_INVALID: {
    status: 400,
    message: 'the cursor is not one this server gave out',
    hint: 'Start the list again without a cursor.',
  },
  REGISTRY_REPOSITORY_UNKNOWN: {
    status: 404,
    message: 'there is no repository {repository}',
    hint: 'List the repositories to see which exist; names are case-sensitive.',
  },
  REGISTRY_MANIFEST_UNKNOWN: {
    status: 404,
    message: 'there is no {reference} in the repository {repository}',
    hint: 'List the tags of the repository to see what it holds.',
  },
});
