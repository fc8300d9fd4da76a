// Keeps every event of the bus as a row, so that webhooks and other processes learn of it (transactional outbox).
import { z } from 'zod';
import {
  type Clock,
  type EventBus,
  type EventMap,
  type EventName,
  type Logger,
  type Randomness,
  describeError,
} from '../core/index.ts';
import type { DatabaseTransaction, Store } from '../store/index.ts';
import type { ServerTables } from './tables.ts';
import { type StoredEvent, WEBHOOK_EVENTS, eventFields } from './webhooks/cloud-event.ts';

/** Journal record kind of events. */
const JOURNAL_KIND = 'server-event';
/** Prefix of the invalidation keys that tell other processes of an event. */
const KEY_PREFIX = 'server-event:';

const DISPATCH_DELAY_MS = 100;

/** Turns undispatched events into webhook deliveries. */
export const DISPATCH_JOB = 'webhook-dispatch';

const journalRecord = z.object({
  id: z.string(),
  name: z.string(),
  at: z.string(),
  body: z.record(z.string(), z.unknown()),
});

export interface EventOutboxOptions {
  readonly store: Store;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
  /** Called for every event of this process at once, and for other processes' events within about a second. */
  readonly onEvent: (event: StoredEvent) => void;
}

/**
 * An event is written to the journal the moment the bus tells of it, and from there to `server_events` exactly once.
 * The window that is left: a process that dies between the commit of a push or scan and the journal write, in the
 * same turn of the event loop, loses the event (not the image and not the scan, which are rows of their own).
 */
export function startEventOutbox(options: EventOutboxOptions): { stop(): void } {
  const { store, events } = options;
  store.journal.consume(JOURNAL_KIND, async (records, transaction) => {
    const parsed = records.map((record) => journalRecord.parse(record));
    await insertEvents(store, parsed, transaction);
    // The job is there once the import has committed; a wake that comes too early only means the next poll.
    setTimeout(() => store.jobs.wake(DISPATCH_JOB), DISPATCH_DELAY_MS).unref();
  });
  const stops = WEBHOOK_EVENTS.map((name) => subscribe(name, options));
  if (store.kind === 'server') stops.push(followOtherProcesses(options));
  return {
    stop: () => {
      for (const stop of stops) stop();
    },
  };
  function subscribe<Name extends EventName>(
    name: Name,
    { onEvent, logger }: EventOutboxOptions,
  ): () => void {
    return events.subscribe(name, (event: EventMap[Name]) => {
      const { clock, randomness } = options;
      const stored = {
        id: randomness.uuid(),
        name,
        at: new Date(clock.now()).toISOString(),
        body: eventFields(event),
      };
      store.journal.append(JOURNAL_KIND, stored).catch((error: unknown) => {
        logger.error({ event: name, err: error }, `an event could not be kept: ${describeError(error)}`);
      });
      onEvent(stored);
    });
  }
}

async function insertEvents(
  store: Store,
  records: readonly StoredEvent[],
  transaction: DatabaseTransaction,
): Promise<void> {
  if (records.length === 0) return;
  await transaction
    .withTables<ServerTables>()
    .insertInto('server_events')
    .values(
      records.map((record) => ({
        id: record.id,
        name: record.name,
        at: record.at,
        body: JSON.stringify(record.body),
      })),
    )
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
  await store.jobs.enqueue(DISPATCH_JOB, {}, { transaction, key: DISPATCH_JOB });
  if (store.kind === 'server') {
    await store.invalidations.record(
      transaction,
      records.map((record) => KEY_PREFIX + record.id),
    );
  }
}

/** Other processes' events arrive as invalidation keys; the row has the rest. */
function followOtherProcesses({ store, onEvent, logger }: EventOutboxOptions): () => void {
  return store.invalidations.subscribe(KEY_PREFIX, (key) => {
    if (!key.startsWith(KEY_PREFIX)) return;
    findEvent(store, key.slice(KEY_PREFIX.length)).then(
      (event) => {
        if (event !== undefined) onEvent(event);
      },
      (error: unknown) => logger.warn({ err: error }, `an event could not be read: ${describeError(error)}`),
    );
  });
}

async function findEvent(store: Store, id: string): Promise<StoredEvent | undefined> {
  const row = await store.db
    .withTables<ServerTables>()
    .selectFrom('server_events')
    .select(['id', 'name', 'at', 'body'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row && { id: row.id, name: row.name, at: row.at.toISOString(), body: row.body };
}
