// What can go wrong with images, manifests, layers and registries: the error catalogue of this folder.
import { defineErrors } from '../core/index.ts';

export const ociErrors = defineErrors('oci', {
  OCI_DIGEST_INVALID: {
    status: 400,
    message: '"{digest}" is not a digest',
    hint: 'A digest is sha256: and 64, or sha512: and 128, lowercase hexadecimal digits.',
    exit: 2,
  },
  OCI_DIGEST_MISMATCH: {
    status: 400,
    message: 'content of {expected} has digest {actual}',
    hint: 'The stored or transferred bytes are not the ones that were named. Push or copy the image again.',
    exit: 3,
  },
  OCI_SIZE_MISMATCH: {
    status: 400,
    message: 'content of {digest} has {actual} bytes instead of {expected}',
    hint: 'The descriptor and the content disagree. Push or copy the image again.',
    exit: 3,
  },
  OCI_REFERENCE_INVALID: {
    status: 400,
    message: '"{reference}" is not an image reference: {reason}',
    hint: 'A reference is [HOST[:PORT]/]NAME[:TAG][@DIGEST], for example localhost:5000/app:1.2.',
    exit: 2,
  },
  OCI_MANIFEST_INVALID: {
    status: 400,
    message: 'manifest is not valid: {reason}',
    hint: 'Build and push the image again with a current tool; OCI image-spec 1.1 and Docker schema 2 are understood.',
    exit: 3,
  },
  OCI_MANIFEST_TOO_LARGE: {
    status: 413,
    message: 'manifest has more than {limit} bytes',
    hint: 'Manifests are limited in size; move large annotations or data into blobs.',
    exit: 3,
  },
  OCI_MANIFEST_MEDIA_TYPE: {
    status: 415,
    message: 'manifest media type {mediaType} is not supported',
    hint: 'Use an OCI image manifest or index, or a Docker schema 2 manifest or manifest list.',
    exit: 3,
  },
  OCI_MANIFEST_SCHEMA1: {
    status: 415,
    message: 'Docker manifest schema 1 is not supported',
    hint: 'Schema 1 was given up in 2017; pull and push the image again with a current tool.',
    exit: 3,
  },
  OCI_CONFIG_INVALID: {
    status: 400,
    message: 'image configuration is not valid: {reason}',
    hint: 'The manifest names a configuration that is not one of a container image (OCI image-spec config.md).',
    exit: 3,
  },
  OCI_LAYER_UNREADABLE: {
    status: 502,
    message: 'layer could not be read: {reason}',
    hint: 'The place the layer is read from failed; check the file, the disk or the network and try again.',
    exit: 3,
  },
  OCI_ABORTED: {
    status: 499,
    message: 'reading was stopped',
    hint: 'The operation was cancelled or ran out of time.',
    exit: 70,
  },
  OCI_LAYOUT_INVALID: {
    status: 400,
    message: '{path} is not a readable OCI image layout: {reason}',
    hint: 'Give a directory with oci-layout, index.json and blobs/, as skopeo, podman, buildah or umoci write it.',
    exit: 3,
  },
  OCI_ARCHIVE_INVALID: {
    status: 400,
    message: '{path} is not a readable image archive: {reason}',
    hint: 'Give a file written by docker save, podman save --format docker-archive or skopeo.',
    exit: 3,
  },
  OCI_IMAGE_AMBIGUOUS: {
    status: 400,
    message: '{target} holds several images: {choices}',
    hint: 'Name the one to read by its tag or digest.',
    exit: 2,
  },
  OCI_NOT_FOUND: {
    status: 404,
    message: '{what} not found in {target}',
    hint: 'Check the name, the tag and the digest.',
    exit: 3,
  },
  OCI_CREDENTIALS_INVALID: {
    status: 400,
    message: 'credential file {path} could not be read: {reason}',
    hint: 'Check the file named by REGISTRY_AUTH_FILE or DOCKER_CONFIG, or log in again.',
    exit: 2,
  },
  OCI_REGISTRY_UNREACHABLE: {
    status: 502,
    message: 'registry {host} could not be reached: {reason}',
    hint: 'Check the host name, the port and the network. For a registry without TLS, ask for plain HTTP.',
    exit: 3,
  },
  OCI_REGISTRY_DENIED: {
    status: 403,
    message: 'registry {host} refused access to {what}: {reason}',
    hint: 'Log in with "skopeo login", "podman login" or "docker login" with a credential that may read (or write) this repository.',
    exit: 3,
  },
  OCI_REGISTRY_BUSY: {
    status: 503,
    message: 'registry {host} still asks to slow down after {attempts} attempts',
    hint: 'Wait and try again later, or use a credential with a higher rate limit.',
    exit: 3,
  },
  OCI_REGISTRY_ANSWER: {
    status: 502,
    message: 'registry {host} answered {what} in a way that is not understood: {reason}',
    hint: 'Check that the host is an OCI registry. Its logs may say more.',
    exit: 3,
  },
});
