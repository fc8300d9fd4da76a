// Every requirement of the OCI distribution specification 1.1.1 that a registry can be tested on, in the order of its text.
import type { Must } from './must.ts';
import { answers } from './musts/answers.ts';
import { deletion } from './musts/deletion.ts';
import { pull } from './musts/pull.ts';
import { pushBlobs } from './musts/push-blobs.ts';
import { pushChunks } from './musts/push-chunks.ts';
import { pushManifests } from './musts/push-manifests.ts';
import { referrers } from './musts/referrers.ts';
import { requirements } from './musts/requirements.ts';
import { tags } from './musts/tags.ts';

export const musts: readonly Must[] = [
  ...requirements,
  ...pull,
  ...pushBlobs,
  ...pushChunks,
  ...pushManifests,
  ...tags,
  ...referrers,
  ...deletion,
  ...answers,
].toSorted((left, right) => mustNumber(left.id) - mustNumber(right.id));

export function mustNumber(id: string): number {
  return Number(id.slice('MUST-'.length));
}
