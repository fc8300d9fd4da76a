// Errors as `{"error":{"code","message","hint"}}` with the status of their catalogue.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { BreakwaterError, describeError } from '../core/index.ts';
import { isUnstorableText } from '../store/index.ts';
import { serverErrors } from './errors.ts';

/** Body of every answer that is an error. */
export const errorBody = z
  .object({ error: z.object({ code: z.string(), message: z.string(), hint: z.string() }) })
  .describe('An error: a stable code, what happened, and what to do');

/** Sets the handlers of errors and of paths that do not exist. */
export function answerErrors(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]?.slice(0, 200) ?? '';
    const error = serverErrors.create('SERVER_NOT_FOUND', { what: `${request.method} ${path}` });
    return reply.status(404).send(bodyOf(error));
  });
  app.setErrorHandler((thrown, request, reply) => {
    const error = toBreakwaterError(thrown, request.id);
    if (error.status >= 500) {
      request.log.error({ err: thrown, request: request.id, url: request.url.split('?')[0] }, error.message);
    }
    return reply.status(error.status).type('application/json; charset=utf-8').send(bodyOf(error));
  });
}

/** A path that is not valid percent-encoding reaches no route and no hook; it is answered here. */
export function answerUnroutable(thrown: Error, request: FastifyRequest, reply: FastifyReply): void {
  const error = toBreakwaterError(thrown, request.id);
  void reply.status(error.status).header('x-content-type-options', 'nosniff').send(bodyOf(error));
}

export function bodyOf(error: BreakwaterError): z.infer<typeof errorBody> {
  return { error: { code: error.code, message: error.message, hint: error.hint } };
}

function toBreakwaterError(thrown: unknown, requestId: string): BreakwaterError {
  if (thrown instanceof BreakwaterError) return thrown;
  if (isUnstorableText(thrown)) {
    return serverErrors.create('SERVER_REQUEST_INVALID', { problems: 'it holds a NUL character' }, thrown);
  }
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const problems = thrown.validation
      .slice(0, 5)
      .map(
        (issue) => `${issue.instancePath.replace(/^\//, '').replaceAll('/', '.')}: ${issue.message ?? ''}`,
      );
    const part = 'validationContext' in thrown ? String(thrown.validationContext) : 'request';
    return serverErrors.create('SERVER_REQUEST_INVALID', { problems: `${part} ${problems.join('; ')}` });
  }
  if (!isResponseSerializationError(thrown) && thrown instanceof Error && 'statusCode' in thrown) {
    const code = 'code' in thrown ? thrown.code : undefined;
    if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return serverErrors.create('SERVER_BODY_TOO_LARGE');
    if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
      return serverErrors.create('SERVER_MEDIA_TYPE_UNSUPPORTED');
    if (thrown.statusCode === 503) return serverErrors.create('SERVER_STOPPING');
    if (typeof thrown.statusCode === 'number' && thrown.statusCode < 500) {
      return serverErrors.create('SERVER_REQUEST_INVALID', { problems: describeError(thrown) }, thrown);
    }
  }
  return serverErrors.create('SERVER_INTERNAL', { request: requestId }, thrown);
}
