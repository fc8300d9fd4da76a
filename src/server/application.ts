// The Fastify application: headers, authentication, errors, OpenAPI, and the routes of every folder (design.md section 5).
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { MiB } from '../core/index.ts';
import { type RegistryAdministration, registryRoutes } from '../registry/index.ts';
import { exemptionRoutes, explanationRoutes, type ScanService, scanRoutes } from '../scan/index.ts';
import { Gate, requireAuthentication } from './authentication.ts';
import type { ServerContext } from './context.ts';
import { answerErrors, answerUnroutable } from './error-answers.ts';
import { measureRequests } from './instruments.ts';
import { describeRoutes, serveDescription } from './openapi.ts';
import { setResponseHeaders } from './response-headers.ts';
import { advisoryRoutes } from './routes/advisories.ts';
import { auditRoutes } from './routes/audit.ts';
import { backupRoutes } from './routes/backup.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { jobRoutes } from './routes/jobs.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { pageRoutes } from './routes/pages.ts';
import { webhookRoutes } from './routes/webhooks.ts';

/** Largest request body; the API takes small JSON documents only. */
const BODY_LIMIT = MiB;
/** Digests are 135 characters, encoded repository names up to about 300. */
const MAX_PARAMETER_LENGTH = 800;
/** Longest time for a client to send a whole request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 60_000;

/** Folders whose routes are mounted besides the server's own. */
export interface MountedFolders {
  readonly administration: RegistryAdministration;
  readonly scans: ScanService;
}

/** Builds the application; it does not listen yet. */
export async function createApplication(
  context: ServerContext,
  folders: MountedFolders,
): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = context.logger;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: (error, request, reply) => {
      answerUnroutable(error, request, reply);
    },
    genReqId: () => context.randomness.uuid(),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    forceCloseConnections: 'idle',
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  const authentication = {
    identity: context.identity,
    service: context.service,
    audit: context.store.audit,
    clock: context.clock,
  };
  setResponseHeaders(app);
  measureRequests(app, context.metrics);
  const gate = new Gate(authentication);
  requireAuthentication(app, gate);
  answerErrors(app);
  await describeRoutes(app, context.version);
  serveDescription(app);
  await app.register(healthRoutes(context));
  await app.register(metricsRoutes(context, gate));
  await app.register(pageRoutes(context));
  await app.register(
    async (api) => {
      await api.register(registryRoutes, {
        administration: folders.administration,
        actorOf: (request) => request.access?.subject.name ?? 'anonymous',
      });
      await api.register(scanRoutes, {
        db: context.store.db,
        directory: context.directory,
        service: folders.scans,
      });
      await api.register(explanationRoutes, {
        db: context.store.db,
        advisoriesPath: context.advisoriesPath,
      });
      await api.register(exemptionRoutes, {
        db: context.store.db,
        audit: context.store.audit,
        directory: context.directory,
        clock: context.clock,
        randomness: context.randomness,
        actorOf: (request) => request.access?.subject.name ?? 'anonymous',
      });
      await api.register(jobRoutes(context));
      await api.register(auditRoutes(context));
      await api.register(eventRoutes(context));
      await api.register(webhookRoutes(context));
      await api.register(advisoryRoutes(context));
      await api.register(backupRoutes(context));
    },
    { prefix: '/api/v1' },
  );
  return app;
}
