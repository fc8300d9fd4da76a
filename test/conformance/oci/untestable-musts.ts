// Requirements of the specification that no request to a registry can test, each with the reason.
import type { UntestableMust } from './must.ts';

const CLIENT = 'It binds clients: nothing that a registry answers depends on it.';
const ENABLED = 'It binds registries that have switched deletion off; Breakwater has it on.';

export const untestableMusts: readonly UntestableMust[] = [
  {
    id: 'MUST-15',
    section: 'Pulling blobs',
    text: 'A client that uses Docker-Content-Digest verifies it',
    reason: `${CLIENT} The registry's half is MUST-14.`,
  },
  {
    id: 'MUST-46',
    section: 'Pushing Manifests',
    text: 'A client sends the mediaType of a manifest as its Content-Type',
    reason: CLIENT,
  },
  {
    id: 'MUST-48',
    section: 'Pushing Manifests',
    text: 'A manifest refers to the blobs that make up its object',
    reason: 'Which blobs an object is made of is known to its maker only.',
  },
  {
    id: 'MUST-55',
    section: 'Pushing Manifests with Subject',
    text: 'A client that gets no OCI-Subject keeps the referrers list itself',
    reason: CLIENT,
  },
  {
    id: 'MUST-56',
    section: 'Pushing Manifests with Subject',
    text: 'A client begins with an empty list where there is none',
    reason: CLIENT,
  },
  {
    id: 'MUST-57',
    section: 'Pushing Manifests with Subject',
    text: 'A client that keeps the list copies the artifactType',
    reason: CLIENT,
  },
  {
    id: 'MUST-58',
    section: 'Pushing Manifests with Subject',
    text: 'A client that keeps the list uses the media type of the config where there is no artifactType',
    reason: CLIENT,
  },
  {
    id: 'MUST-59',
    section: 'Pushing Manifests with Subject',
    text: 'A client that keeps the list copies the annotations',
    reason: CLIENT,
  },
  {
    id: 'MUST-84',
    section: 'Listing Referrers',
    text: 'Several filters are named with commas between',
    reason: 'The specification defines one filter only.',
  },
  {
    id: 'MUST-85',
    section: 'Listing Referrers',
    text: 'A client that gets 404 for referrers pulls the referrers tag',
    reason: CLIENT,
  },
  {
    id: 'MUST-87',
    section: 'Deleting tags',
    text: 'Where tags cannot be deleted the answer is 400 or 405',
    reason: ENABLED,
  },
  {
    id: 'MUST-90',
    section: 'Deleting Manifests',
    text: 'Where manifests cannot be deleted the answer is 400 or 405',
    reason: ENABLED,
  },
  {
    id: 'MUST-93',
    section: 'Deleting Blobs',
    text: 'Where blobs cannot be deleted the answer is 400 or 405',
    reason: ENABLED,
  },
  {
    id: 'MUST-94',
    section: 'Backwards Compatibility',
    text: 'Clients support registries with older or partial versions',
    reason: CLIENT,
  },
  {
    id: 'MUST-95',
    section: 'Backwards Compatibility',
    text: 'Clients have the fall-backs of this section',
    reason: CLIENT,
  },
  {
    id: 'MUST-96',
    section: 'Unavailable Referrers API',
    text: 'A client that pushes a subject verifies that referrers are served, or keeps the referrers tag',
    reason: CLIENT,
  },
  {
    id: 'MUST-97',
    section: 'Unavailable Referrers API',
    text: 'A client that gets 404 for referrers uses the referrers tag',
    reason: CLIENT,
  },
];
