// `breakwater backup` and `breakwater restore`: through the running server, or on the data directory when none runs.
import { createWriteStream } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import {
  createLogger,
  describeError,
  httpSend,
  MiB,
  readBody,
  systemClock,
  systemErrorCode,
  systemRandomness,
} from '../../core/index.ts';
import { BACKUP_REPORT_HEADER, readServerFile } from '../../server/index.ts';
import { backupStore, openBackup, openStore, restoreStore, type Store } from '../../store/index.ts';
import type { CommandAction } from '../command-line.ts';
import { cliErrors } from '../errors.ts';
import { optionText, requiredText } from '../option-values.ts';

/** A large backup takes long before its first byte arrives, in milliseconds. */
const PATIENCE_MS = 6 * 60 * 60 * 1000;

const summary = z.object({
  contents: z.string(),
  tables: z.record(z.string(), z.number()),
  objects: z.number(),
  objectBytes: z.number(),
  missingObjects: z.number(),
});
type Summary = z.infer<typeof summary>;

export const backup: CommandAction = async ({ terminal, environment }, _args, options) => {
  const out = requiredText(options['out'], '--out');
  const dataDirectory = optionText(options['data']) ?? './data';
  const includeBlobs = options['blobs'] === true;
  await refuseExisting(out);
  const server = await readServerFile(dataDirectory);
  const report =
    server === undefined
      ? await backupDirectory(dataDirectory, optionText(options['databaseUrl']), out, includeBlobs)
      : await backupThroughApi({
          api: server.api,
          dataDirectory,
          username: optionText(options['username']) ?? 'admin',
          password: await readPassword(optionText(options['passwordFile']), environment),
          out,
          includeBlobs,
        });
  await terminal.out(summaryText(out, report));
  return 0;
};

export const restore: CommandAction = async ({ terminal }, [file = ''], options) => {
  const dataDirectory = optionText(options['data']) ?? './data';
  const server = await readServerFile(dataDirectory);
  if (server !== undefined)
    throw cliErrors.create('CLI_RESTORE_RUNNING', { directory: dataDirectory, pid: server.pid });
  await refuseMissing(file);
  // Before the store is opened: a file that cannot be restored must leave no new data directory behind.
  const source = await openBackup(file);
  const store = await open(dataDirectory, optionText(options['databaseUrl'])).catch(
    async (error: unknown) => {
      await source.close();
      throw error;
    },
  );
  try {
    const report = await restoreStore(source, store);
    const rows = Object.values(report.tables).reduce((sum, count) => sum + count, 0);
    const lines = [
      `restored ${report.contents} of ${report.createdAt}: ${rows} rows, ${report.objects} objects (${megabytes(report.objectBytes)})`,
      ...(report.leftOut > 0
        ? [`${report.leftOut} rows were left out: what they refer to was deleted during the backup`]
        : []),
      ...(report.missingObjects.count > 0
        ? [
            `${report.missingObjects.count} objects are not there: their images cannot be pulled until the blobs are restored too`,
          ]
        : []),
      'Key files are not in a backup. Copy the old "keys" folder into the data directory before the first start. Without it,',
      'start with --new-password, and replace the secret of each webhook.',
    ];
    await terminal.out(`${lines.join('\n')}\n`);
    return 0;
  } finally {
    await store.close();
  }
};

function open(dataDirectory: string, databaseUrl: string | undefined): Promise<Store> {
  return openStore({
    dataDirectory,
    logger: createLogger('warn'),
    clock: systemClock,
    randomness: systemRandomness,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  });
}

async function backupDirectory(
  dataDirectory: string,
  databaseUrl: string | undefined,
  out: string,
  includeBlobs: boolean,
): Promise<Summary> {
  if (databaseUrl === undefined) await refuseMissing(dataDirectory);
  const store = await open(dataDirectory, databaseUrl);
  try {
    const logger = createLogger('warn');
    const report = await backupStore(store, {
      out,
      includeBlobs,
      clock: systemClock,
      randomness: systemRandomness,
      logger,
    });
    return { ...report, tables: { ...report.tables }, missingObjects: report.missingObjects.count };
  } finally {
    await store.close();
  }
}

async function backupThroughApi(request: {
  readonly api: string;
  readonly dataDirectory: string;
  readonly username: string;
  readonly password: string;
  readonly out: string;
  readonly includeBlobs: boolean;
}): Promise<Summary> {
  const { api, dataDirectory, username, password, out, includeBlobs } = request;
  const refuse = (reason: string, cause?: unknown): Error =>
    cliErrors.create('CLI_SERVER_UNREACHABLE', { directory: dataDirectory, address: api, reason }, cause);
  const url = new URL(`/api/v1/backup?blobs=${includeBlobs}`, api);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const response = await httpSend({
    method: 'POST',
    url,
    headers: { authorization, 'content-length': '0' },
    idleTimeoutMs: PATIENCE_MS,
  });
  if (response.status !== 200) {
    const body = await readBody(response, MiB, url.host);
    throw refuse(`status ${response.status}: ${errorMessage(body)}`);
  }
  const header = response.headers[BACKUP_REPORT_HEADER];
  const partial = `${out}.partial`;
  try {
    await pipeline(response.body, createWriteStream(partial, { flags: 'wx', mode: 0o600, flush: true }));
    await rename(partial, out);
    return summary.parse(JSON.parse(typeof header === 'string' ? header : ''));
  } catch (error) {
    await rm(partial, { force: true });
    if (systemErrorCode(error) === 'ECONNRESET')
      throw refuse('it ended before the backup was complete', error);
    throw cliErrors.create('CLI_OUTPUT_FAILED', { file: out, reason: describeError(error) }, error);
  }
}

function errorMessage(body: Buffer): string {
  try {
    const parsed = z
      .object({ error: z.object({ message: z.string() }) })
      .safeParse(JSON.parse(body.toString('utf8')));
    return parsed.success ? parsed.data.error.message : 'no reason given';
  } catch {
    return 'no reason given';
  }
}

async function readPassword(file: string | undefined, environment: NodeJS.ProcessEnv): Promise<string> {
  if (file === undefined) return environment['BREAKWATER_PASSWORD'] ?? '';
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw cliErrors.create('CLI_FILE_UNREADABLE', { file, reason: describeError(error) }, error);
  }
}

async function refuseExisting(out: string): Promise<void> {
  const there = await stat(out).then(
    () => true,
    () => false,
  );
  if (there) throw cliErrors.create('CLI_OUTPUT_FAILED', { file: out, reason: 'it exists already' });
}

async function refuseMissing(path: string): Promise<void> {
  try {
    await stat(path);
  } catch (error) {
    throw cliErrors.create('CLI_FILE_UNREADABLE', { file: path, reason: describeError(error) }, error);
  }
}

function summaryText(out: string, report: Summary): string {
  const rows = Object.values(report.tables).reduce((sum, count) => sum + count, 0);
  const objects =
    report.contents === 'metadata'
      ? 'no bytes of images (add --blobs for them)'
      : `${report.objects} objects (${megabytes(report.objectBytes)})`;
  const missing = report.missingObjects > 0 ? `, ${report.missingObjects} objects were missing` : '';
  return `${out}: ${report.contents}: ${rows} rows of ${Object.keys(report.tables).length} tables, ${objects}${missing}\nnot in it: the "keys" folder of the data directory, uploads under way, waiting jobs\n`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
