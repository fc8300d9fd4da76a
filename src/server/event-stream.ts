// Server-sent events (HTML standard, section 9.2): a bounded memory for resuming, bounded clients, slow ones dropped.
import type { Writable } from 'node:stream';
import { KiB } from '../core/index.ts';
import type { StoredEvent } from './webhooks/cloud-event.ts';

/** Events kept for clients that come back with `Last-Event-ID`. */
const REMEMBERED = 1000;
const MAX_CLIENTS = 100;
/** Unsent bytes after which a client is too slow. */
const MAX_BACKLOG_BYTES = 256 * KiB;
const HEARTBEAT_MS = 15_000;

export interface EventStreamOptions {
  readonly remembered?: number;
  readonly maxClients?: number;
  readonly maxBacklogBytes?: number;
  readonly heartbeatMs?: number;
}

/** What a client asked for. */
export interface StreamRequest {
  /** Value of `Last-Event-ID`; undefined for a new client. */
  readonly lastEventId: string | undefined;
  /** Names of the wanted events; empty means all. */
  readonly names: ReadonlySet<string>;
  /** Milliseconds since the epoch when the client's access ends. */
  readonly expiresAt: number;
}

interface Client {
  readonly stream: Writable;
  readonly request: StreamRequest;
}

/** Fans events out to clients. */
export class EventStream {
  readonly #remembered: StoredEvent[] = [];
  readonly #known = new Set<string>();
  readonly #clients = new Set<Client>();
  readonly #limits: Required<EventStreamOptions>;
  readonly #timer: NodeJS.Timeout;
  readonly #now: () => number;

  constructor(now: () => number, options: EventStreamOptions = {}) {
    this.#now = now;
    this.#limits = {
      remembered: options.remembered ?? REMEMBERED,
      maxClients: options.maxClients ?? MAX_CLIENTS,
      maxBacklogBytes: options.maxBacklogBytes ?? MAX_BACKLOG_BYTES,
      heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
    };
    this.#timer = setInterval(() => this.#heartbeat(), this.#limits.heartbeatMs);
    this.#timer.unref();
  }

  get clients(): number {
    return this.#clients.size;
  }

  get full(): boolean {
    return this.#clients.size >= this.#limits.maxClients;
  }

  get maxClients(): number {
    return this.#limits.maxClients;
  }

  /** Sends an event to everyone who wants it. One that is known already (told by two ways) is sent once. */
  publish(event: StoredEvent): void {
    if (this.#known.has(event.id)) return;
    this.#known.add(event.id);
    this.#remembered.push(event);
    if (this.#remembered.length > this.#limits.remembered) {
      const oldest = this.#remembered.shift();
      if (oldest) this.#known.delete(oldest.id);
    }
    for (const client of this.#clients) this.#send(client, event);
  }

  /** Adds a client whose response head is written already; it leaves when its stream closes. */
  attach(stream: Writable, request: StreamRequest): void {
    const client = { stream, request };
    stream.on('close', () => this.#clients.delete(client));
    stream.on('error', () => this.#drop(client));
    this.#clients.add(client);
    this.#write(client, 'retry: 3000\n\n');
    if (request.lastEventId === undefined) return;
    const missed = this.#after(request.lastEventId);
    if (missed === undefined) {
      // The memory does not reach back that far: the client must read the lists again.
      this.#write(client, 'event: reset\ndata: {}\n\n');
      return;
    }
    for (const event of missed) this.#send(client, event);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const client of this.#clients) client.stream.end();
    this.#clients.clear();
  }

  #after(id: string): readonly StoredEvent[] | undefined {
    if (!this.#known.has(id)) return undefined;
    return this.#remembered.slice(this.#remembered.findIndex((event) => event.id === id) + 1);
  }

  #send(client: Client, event: StoredEvent): void {
    const { names } = client.request;
    if (names.size > 0 && !names.has(event.name)) return;
    this.#write(client, formatEvent(event));
  }

  #write(client: Client, text: string): void {
    if (!this.#clients.has(client)) return;
    client.stream.write(text);
    if (client.stream.writableLength > this.#limits.maxBacklogBytes) this.#drop(client);
  }

  #drop(client: Client): void {
    this.#clients.delete(client);
    client.stream.destroy();
  }

  #heartbeat(): void {
    for (const client of this.#clients) {
      if (client.request.expiresAt <= this.#now()) {
        this.#clients.delete(client);
        client.stream.end();
      } else this.#write(client, ': heartbeat\n\n');
    }
  }
}

/** JSON text has no line ends of its own, so one `data` line is enough. */
export function formatEvent(event: StoredEvent): string {
  return `id: ${event.id}\nevent: ${event.name}\ndata: ${JSON.stringify({ at: event.at, ...event.body })}\n\n`;
}
