// `/healthz` (the process answers) and `/readyz` (it should get traffic): for load balancers, without a credential.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { describeError } from '../../core/index.ts';
import type { ServerContext } from '../context.ts';

const check = z.object({ name: z.string(), ok: z.boolean() });
const readiness = z.object({ ready: z.boolean(), checks: z.array(check) });

/** Longest a check may take, in milliseconds. */
const TIME_LIMIT_MS = 3_000;
/** How long an answer of `/readyz` is kept, in milliseconds. */
const KEPT_MS = 500;

export function healthRoutes({
  store,
  readiness: state,
  logger,
}: Pick<ServerContext, 'store' | 'readiness' | 'logger'>): FastifyPluginAsyncZod {
  const passes = async (name: string, run: () => Promise<void>): Promise<z.infer<typeof check>> => {
    try {
      await withinTime(run());
      return { name, ok: true };
    } catch (error) {
      logger.warn({ check: name }, `not ready: ${describeError(error)}`);
      return { name, ok: false };
    }
  };
  let known: { readonly at: number; readonly checks: Promise<z.infer<typeof check>[]> } | undefined;
  /** Anybody may ask, so the answer is kept for a moment: asking often costs the database nothing. */
  const storeChecks = (): Promise<z.infer<typeof check>[]> => {
    const now = performance.now();
    if (known === undefined || now - known.at > KEPT_MS) known = { at: now, checks: runStoreChecks() };
    return known.checks;
  };
  const runStoreChecks = async (): Promise<z.infer<typeof check>[]> => {
    const database = await passes('database', () => store.ping());
    return database.ok ? [database, await passes('journal', () => store.journal.drain())] : [database];
  };
  return async (app) => {
    app.get(
      '/healthz',
      {
        config: { public: true },
        schema: {
          summary: 'Does the process answer?',
          tags: ['server'],
          security: [],
          response: { 200: z.object({ status: z.literal('ok') }) },
        },
      },
      async () => ({ status: 'ok' as const }),
    );
    app.get(
      '/readyz',
      {
        config: { public: true },
        schema: {
          summary: 'Should the server get traffic?',
          description:
            'The database answers (it was migrated before the server listened) and the journal is written to SQL.',
          tags: ['server'],
          security: [],
          response: { 200: readiness, 503: readiness },
        },
      },
      async (_request, reply) => {
        const checks = [{ name: 'running', ok: !state.stopping }, ...(await storeChecks())];
        const ready = checks.every((item) => item.ok);
        return reply.status(ready ? 200 : 503).send({ ready, checks });
      },
    );
  };
}

async function withinTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${TIME_LIMIT_MS} ms`)), TIME_LIMIT_MS);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
