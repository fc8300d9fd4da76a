// Typed events between folders of the same tier. Events only wake and inform; what must not be lost is a row.
import { EventEmitter } from 'node:events';
import { describeError } from './errors.ts';
import type { Logger } from './logging.ts';

/** A manifest was stored (and its tag set, where one was given). */
export interface ImagePushed {
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly actor: string;
  readonly at: string;
}

/** A manifest or a tag was deleted; `tag` is null for a manifest. */
export interface ImageDeleted {
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string;
  readonly actor: string;
  readonly at: string;
}

/** A scan ended, well or not. Counts are of open findings by severity. */
export interface ScanFinished {
  readonly digest: string;
  readonly repositories: readonly string[];
  readonly status: 'finished' | 'failed' | 'unscannable';
  readonly counts: Readonly<Record<string, number>>;
  readonly advisories: string | null;
  readonly at: string;
}

/** A finding as events name it. */
export interface FindingNotice {
  readonly id: string;
  readonly purl: string;
  readonly package: string;
  readonly installed: string;
  readonly fixed: string | null;
  readonly severity: string;
}

/**
 * New advisory data changed what is known of an image, without a scan: one event for each image and change of the data.
 * Findings that a scan opens or ends are told by `scan.finished`.
 */
export interface FindingsOpened {
  readonly digest: string;
  readonly repositories: readonly string[];
  /** The first {@link MAX_EVENT_FINDINGS} of them. */
  readonly findings: readonly FindingNotice[];
  readonly total: number;
  /** Identity of the advisory data. */
  readonly advisories: string;
  readonly at: string;
}

/** As {@link FindingsOpened}; `withdrawn`: the advisory is gone, `not-affected`: it says so of the version now. */
export interface FindingsClosed extends FindingsOpened {
  readonly findings: readonly (FindingNotice & { readonly reason: 'withdrawn' | 'not-affected' })[];
}

/** Most findings named in one event. */
export const MAX_EVENT_FINDINGS = 100;

/** Every event of the product, by name. */
export interface EventMap {
  'image.pushed': ImagePushed;
  'image.deleted': ImageDeleted;
  'scan.finished': ScanFinished;
  'finding.opened': FindingsOpened;
  'finding.closed': FindingsClosed;
}

export type EventName = keyof EventMap;

/** In-process publish and subscribe. A failing listener is logged and never reaches the publisher. */
export class EventBus {
  readonly #emitter = new EventEmitter();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#emitter.setMaxListeners(0);
  }

  publish<Name extends EventName>(name: Name, event: EventMap[Name]): void {
    this.#emitter.emit(name, event);
  }

  /** Calls the listener for each later event; the returned function ends the subscription. */
  subscribe<Name extends EventName>(
    name: Name,
    listener: (event: EventMap[Name]) => void | Promise<void>,
  ): () => void {
    const safe = (event: EventMap[Name]): void => {
      Promise.resolve()
        .then(() => listener(event))
        .catch((error: unknown) => {
          this.#logger.error({ event: name, err: error }, `event listener failed: ${describeError(error)}`);
        });
    };
    this.#emitter.on(name, safe);
    return () => this.#emitter.off(name, safe);
  }
}
