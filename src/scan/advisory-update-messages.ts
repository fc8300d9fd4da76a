// What the server and a process that updates advisories say to each other.
import { z } from 'zod';

export const updateRequest = z.object({
  sources: z.array(z.string()),
  mirrors: z.array(z.string()),
  cacheDirectory: z.string(),
  place: z.string(),
});
export type UpdateRequest = z.infer<typeof updateRequest>;

export const updateAnswer = z.object({
  /** Null when there was an error. */
  kind: z.enum(['installed', 'kept']).nullable(),
  digest: z.string().nullable(),
  error: z.string().nullable(),
  warnings: z.array(z.string()),
});
export type UpdateAnswer = z.infer<typeof updateAnswer>;
