// Query parts and answers that several routes share.
import { z } from 'zod';
import { errorBody } from '../error-answers.ts';

/** `limit` and `cursor` of every list. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('Most entries in one page'),
  cursor: z.string().max(500).optional().describe('nextCursor of the page before'),
};

/** Answers that any path may give besides its own. */
export const failures = { default: errorBody };

export const identifier = z.object({ id: z.uuid() });
