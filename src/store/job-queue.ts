// The job queue on pg-boss 12: polling, no LISTEN, through the store's own connections (design.md decision 3).
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { fromKysely, PgBoss, type Db } from 'pg-boss';
import { BreakwaterError, describeError, type Logger } from '../core/index.ts';
import type { OpenedDatabase } from './database.ts';
import { isConnectionError } from './database.ts';
import { storeErrors } from './errors.ts';
import {
  deadLetterQueue,
  findDeadLetterSource,
  findJob,
  listJobs,
  payloadOf,
  removeDeadLetter,
} from './job-rows.ts';
import type {
  EnqueueOptions,
  JobHandler,
  JobPayload,
  JobQueue,
  JobQueueOptions,
  WorkOptions,
} from './types.ts';

const POLL_SECONDS = 2;
/** A job whose worker was killed is noticed after this time, in seconds. */
const HEARTBEAT_SECONDS = 15;
const SUPERVISE_SECONDS = 10;
const REPEAT_LIMIT_MS = 5_000;
const REPEAT_PAUSE_MS = 100;
const COMPLETED_KEPT_SECONDS = 3 * 86_400;
const DEAD_LETTER_KEPT_SECONDS = 30 * 86_400;

export interface JobQueueParts {
  readonly database: OpenedDatabase;
  readonly logger: Logger;
}

/** Starts the queue. On the embedded store, jobs that a killed server left active go back at once. */
export async function openJobQueue(parts: JobQueueParts): Promise<JobQueue> {
  const { database, logger } = parts;
  const boss = new PgBoss({
    db: patientDb(database),
    schema: 'pgboss',
    schedule: false,
    useListenNotify: false,
    registerInstance: false,
    monitorVacuum: false,
    reindex: false,
    openTelemetry: { enabled: false },
    superviseIntervalSeconds: SUPERVISE_SECONDS,
    monitorIntervalSeconds: SUPERVISE_SECONDS,
    ...(database.kind === 'embedded' ? { backend: 'pglite' } : {}),
  });
  boss.on('error', (error) => logger.warn({ err: error }, `job queue: ${describeError(error)}`));
  boss.on('warning', (warning) => logger.warn({ data: warning.data }, `job queue: ${warning.message}`));
  await boss.start();
  if (database.kind === 'embedded') await recoverActive(database, boss);
  return new BossQueue(boss, database);
}

class BossQueue implements JobQueue {
  readonly #boss: PgBoss;
  readonly #database: OpenedDatabase;
  readonly #workers = new Map<string, string[]>();

  constructor(boss: PgBoss, database: OpenedDatabase) {
    this.#boss = boss;
    this.#database = database;
  }

  async define(name: string, options: JobQueueOptions): Promise<void> {
    const settings = {
      retryLimit: options.retryLimit,
      retryDelay: options.retryDelaySeconds,
      retryBackoff: true,
      expireInSeconds: options.expireSeconds,
      heartbeatSeconds: HEARTBEAT_SECONDS,
      deleteAfterSeconds: COMPLETED_KEPT_SECONDS,
    };
    const deadLetter = deadLetterQueue(name);
    await this.#boss.createQueue(deadLetter, { retentionSeconds: DEAD_LETTER_KEPT_SECONDS });
    // `short`: at most one waiting job for each singleton key.
    await this.#boss.createQueue(name, { ...settings, policy: 'short', deadLetter });
    await this.#boss.updateQueue(name, { ...settings, deadLetter });
  }

  async enqueue(name: string, payload: JobPayload, options: EnqueueOptions = {}): Promise<string | null> {
    try {
      return await this.#boss.send(name, payload, {
        singletonKey: options.key ?? randomUUID(),
        ...(options.delaySeconds === undefined ? {} : { startAfter: options.delaySeconds }),
        ...(options.priority === undefined ? {} : { priority: options.priority }),
        ...(options.transaction === undefined ? {} : { db: fromKysely(options.transaction) }),
      });
    } catch (error) {
      if (!/^Queue .* does not exist/.test(describeError(error))) throw error;
      throw storeErrors.create('STORE_JOB_QUEUE_UNKNOWN', { queue: name }, error);
    }
  }

  async work(name: string, options: WorkOptions, handler: JobHandler): Promise<void> {
    // One pg-boss worker each, because only the first of a group can be woken.
    for (let index = 0; index < options.concurrency; index++) {
      let worker = '';
      worker = await this.#boss.work(name, { pollingIntervalSeconds: POLL_SECONDS }, async ([job]) => {
        if (job === undefined) return;
        try {
          await handler({ id: job.id, payload: payloadOf(job.data), signal: job.signal });
        } catch (error) {
          throw storedError(error);
        } finally {
          // Looks for the next job at once instead of after the rest of the poll interval.
          this.#boss.notifyWorker(worker);
        }
      });
      this.#workers.set(name, [...(this.#workers.get(name) ?? []), worker]);
    }
  }

  wake(name: string): void {
    for (const worker of this.#workers.get(name) ?? []) this.#boss.notifyWorker(worker);
  }

  list(filter: Parameters<JobQueue['list']>[0]): ReturnType<JobQueue['list']> {
    return listJobs(this.#database.db, filter);
  }

  get(id: string): ReturnType<JobQueue['get']> {
    return findJob(this.#database.db, id);
  }

  /** The job runs again under its own id, and its dead letter goes. A dead letter stands for the job it came from. */
  async retry(id: string): Promise<boolean> {
    const job = await this.get(id);
    if (job === undefined) return false;
    if (job.deadLetter) {
      const source = await findDeadLetterSource(this.#database.db, id);
      if (source !== undefined && (await this.retry(source))) return true;
      // The failed job itself was removed by its age: its copy goes back instead.
      return (await this.#boss.redrive(job.queue, { ids: [id] })) > 0;
    }
    if (job.state !== 'failed') return false;
    await this.#boss.retry(job.queue, id);
    await removeDeadLetter(this.#database.db, job.queue, id);
    return true;
  }

  async stop(graceMs: number): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: graceMs });
  }
}

/** What is stored of a failure: its text, without stack or causes, which may hold what is secret. */
function storedError(error: unknown): Error {
  const text = error instanceof BreakwaterError ? `${error.code}: ${error.message}` : describeError(error);
  const stored = new Error(text);
  delete stored.stack;
  return stored;
}

/**
 * pg-boss on the store's connections. A statement whose connection was lost is repeated for some seconds (several
 * connections of the pool may be dead at once): pg-boss's statements check the state they change, and a job that was
 * fetched for nobody comes back by its missing heartbeat.
 */
function patientDb(database: OpenedDatabase): Db {
  const executeSql: Db['executeSql'] = async (text, values) => {
    const deadline = performance.now() + REPEAT_LIMIT_MS;
    for (;;) {
      try {
        return await database.query(text, values);
      } catch (error) {
        if (!isConnectionError(error) || performance.now() > deadline) throw error;
        await sleep(REPEAT_PAUSE_MS);
      }
    }
  };
  return { executeSql };
}

/** The embedded store has one server, which has just started: whatever is active was left by a killed one. */
async function recoverActive(database: OpenedDatabase, boss: PgBoss): Promise<void> {
  await sql`
    update pgboss.job set state = 'retry', start_after = now(), heartbeat_on = null
     where state = 'active' and retry_count < retry_limit`.execute(database.db);
  const { rows } = await sql<{ id: string; name: string }>`
    select id, name from pgboss.job where state = 'active'`.execute(database.db);
  for (const { id, name } of rows) {
    await boss.fail(name, id, { message: 'the server ended while the job ran, and no retry is left' });
  }
}
