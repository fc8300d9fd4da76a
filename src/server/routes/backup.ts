// A logical backup of the running server, streamed: the command line must not open the database that the server has open.
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { describeError } from '../../core/index.ts';
import { backupStore } from '../../store/index.ts';
import type { ServerContext } from '../context.ts';
import { serverErrors } from '../errors.ts';
import { failures } from './schemas.ts';

/** Header with what the backup holds, as JSON. */
export const BACKUP_REPORT_HEADER = 'breakwater-backup';

/** Backups lie here until they are sent; left-overs of a crash go at the next start. */
export async function clearBackupFolder(dataDirectory: string): Promise<void> {
  await rm(backupFolder(dataDirectory), { recursive: true, force: true });
}

function backupFolder(dataDirectory: string): string {
  return join(dataDirectory, 'backup');
}

export function backupRoutes({
  store,
  clock,
  randomness,
  logger,
}: Pick<ServerContext, 'store' | 'clock' | 'randomness' | 'logger'>): FastifyPluginAsyncZod {
  let running = false;
  return async (app) => {
    app.post(
      '/backup',
      {
        schema: {
          summary: 'Write a backup and send it (application/octet-stream)',
          description:
            'Metadata, and with blobs=true the bytes of all images. Not in it: key files of the data directory, uploads under way, waiting jobs. The header breakwater-backup says what it holds.',
          tags: ['server'],
          querystring: z.object({ blobs: z.enum(['true', 'false']).default('false') }),
          response: { 200: z.unknown().describe('The backup file'), ...failures },
        },
      },
      async (request, reply) => {
        if (running) throw serverErrors.create('SERVER_BACKUP_RUNNING');
        running = true;
        const folder = backupFolder(store.dataDirectory);
        const path = join(folder, randomness.uuid());
        const end = (): void => {
          running = false;
          rm(path, { force: true }).catch((error: unknown) => {
            logger.warn({ err: error }, `a sent backup could not be removed: ${describeError(error)}`);
          });
        };
        try {
          await mkdir(folder, { recursive: true, mode: 0o700 });
          const includeBlobs = request.query.blobs === 'true';
          const report = await backupStore(store, { out: path, includeBlobs, clock, randomness, logger });
          store.audit.append({
            action: 'backup.create',
            actor: request.access?.subject.name ?? 'anonymous',
            target: report.contents,
            result: 'success',
            address: request.ip,
          });
          const { contents, tables, objects, objectBytes, missingObjects } = report;
          const summary = { contents, tables, objects, objectBytes, missingObjects: missingObjects.count };
          const { size } = await stat(path);
          const stream = createReadStream(path);
          finished(stream, end);
          return await reply
            .headers({ [BACKUP_REPORT_HEADER]: JSON.stringify(summary), 'content-length': String(size) })
            .type('application/octet-stream')
            .send(stream);
        } catch (error) {
          end();
          throw error;
        }
      },
    );
  };
}
