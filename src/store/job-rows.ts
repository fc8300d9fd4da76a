// Reads jobs for people: pages over pg-boss's table, newest first, with a keyset cursor.
import { sql } from 'kysely';
import { z } from 'zod';
import { storeErrors } from './errors.ts';
import type { Database, Job, JobFilter, JobPage, JobState } from './types.ts';

/** Queue that holds the dead letters of `name`. */
export function deadLetterQueue(name: string): string {
  return `${name}${DEAD_SUFFIX}`;
}

const DEAD_SUFFIX = '.dead';
const MAX_PAGE = 1_000;

interface JobRow {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  readonly data: unknown;
  readonly retries: number;
  readonly retryLimit: number;
  readonly output: unknown;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly completedAt: Date | null;
  readonly micros: number;
}

const COLUMNS = sql`
  id, name, state, data,
  coalesce(source_retry_count, retry_count) as retries, retry_limit as "retryLimit",
  case when source_name is null then output else source_output end as output,
  created_on as "createdAt", started_on as "startedAt", completed_on as "completedAt",
  (extract(epoch from created_on) * 1000000)::bigint as micros`;

/** At most 1,000 jobs a page, newest first. Rejects with STORE_CURSOR_INVALID. */
export async function listJobs(db: Database, filter: JobFilter): Promise<JobPage> {
  const limit = Math.max(1, Math.min(MAX_PAGE, filter.limit));
  const conditions = [sql`name not like '\\_\\_pgboss\\_\\_%'`];
  if (filter.queue !== undefined) conditions.push(sql`name = ${filter.queue}`);
  if (filter.state !== undefined) conditions.push(sql`state = ${filter.state}::pgboss.job_state`);
  if (filter.cursor !== undefined) {
    const [micros, id] = readCursor(filter.cursor);
    conditions.push(
      sql`(created_on, id) < (timestamptz 'epoch' + ${micros}::bigint * interval '1 microsecond', ${id}::uuid)`,
    );
  }
  const { rows } = await sql<JobRow>`
    select ${COLUMNS} from pgboss.job where ${sql.join(conditions, sql` and `)}
    order by created_on desc, id desc limit ${limit + 1}`.execute(db);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    jobs: page.map(toJob),
    nextCursor: rows.length > limit && last !== undefined ? writeCursor(last) : null,
  };
}

/** The job with this id, whatever its queue. */
export async function findJob(db: Database, id: string): Promise<Job | undefined> {
  if (!z.uuid().safeParse(id).success) return undefined;
  const { rows } = await sql<JobRow>`select ${COLUMNS} from pgboss.job where id = ${id}::uuid`.execute(db);
  return rows[0] === undefined ? undefined : toJob(rows[0]);
}

/** Id of the job that a dead letter is the copy of. */
export async function findDeadLetterSource(db: Database, id: string): Promise<string | undefined> {
  const { rows } = await sql<{ source: string | null }>`
    select source_id as source from pgboss.job where id = ${id}::uuid`.execute(db);
  return rows[0]?.source ?? undefined;
}

/** Removes the dead letter of a job that runs again. */
export async function removeDeadLetter(db: Database, queue: string, id: string): Promise<void> {
  await sql`delete from pgboss.job where name = ${deadLetterQueue(queue)} and source_id = ${id}::uuid`.execute(
    db,
  );
}

function toJob(row: JobRow): Job {
  return {
    id: row.id,
    queue: row.name,
    state: row.state,
    payload: payloadOf(row.data),
    retries: row.retries,
    retryLimit: row.retryLimit,
    error: errorOf(row),
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    completedAt: row.completedAt?.toISOString() ?? null,
    deadLetter: row.name.endsWith(DEAD_SUFFIX),
  };
}

const payloadSchema = z.record(z.string(), z.unknown());

/** The payload as a record: what was enqueued is one, what somebody wrote by hand may not be. */
export function payloadOf(data: unknown): Readonly<Record<string, unknown>> {
  const parsed = payloadSchema.safeParse(data);
  return parsed.success ? parsed.data : {};
}

const outputSchema = z.union([
  z.object({ message: z.string() }).transform((output) => output.message),
  z.object({ value: z.object({ message: z.string() }) }).transform((output) => output.value.message),
]);

function errorOf(row: JobRow): string | null {
  if (row.state === 'completed') return null;
  const parsed = outputSchema.safeParse(row.output);
  return parsed.success ? parsed.data : null;
}

const cursorSchema = z.tuple([z.int().nonnegative(), z.uuid()]);

function writeCursor(row: JobRow): string {
  return Buffer.from(JSON.stringify([row.micros, row.id])).toString('base64url');
}

function readCursor(cursor: string): [number, string] {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch (error) {
    throw storeErrors.create('STORE_CURSOR_INVALID', {}, error);
  }
}
