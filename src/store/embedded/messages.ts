// What the server process and the database process say to each other over IPC.
import { z } from 'zod';

/** Start order of the database process, passed as its one argument (JSON). */
export const ordersSchema = z.object({
  mode: z.enum(['initialise', 'serve']),
  /** Folder of the PostgreSQL data. */
  databaseDirectory: z.string(),
  lockDirectory: z.string(),
  socketPath: z.string(),
  /** How long to wait for the process of an earlier server, in milliseconds. */
  lockWaitMs: z.number(),
});

export type ChildOrders = z.infer<typeof ordersSchema>;

export const reportSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('initialised') }),
  z.object({ kind: z.literal('locked'), pid: z.number() }),
  z.object({ kind: z.literal('not-durable') }),
  z.object({ kind: z.literal('failed'), reason: z.string() }),
  z.object({ kind: z.literal('notice'), text: z.string() }),
]);

export type ChildReport = z.infer<typeof reportSchema>;

/** The only message from the server: finish the running statement, write a checkpoint, leave. */
export const closeMessage = 'close';
