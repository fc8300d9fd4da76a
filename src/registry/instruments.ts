// The registry's metrics, kept as plain numbers on the hot path and read out when Prometheus asks.
import { Counter, Gauge } from '../core/index.ts';
import type { Metrics } from '../core/index.ts';

/** Counts requests, bytes and pulls. */
export class Instruments {
  readonly #requests = new Map<string, number>();
  receivedBytes = 0;
  sentBytes = 0;
  collectedBytes = 0;

  constructor(
    metrics: Metrics,
    sources: {
      readonly transfers: () => number;
      readonly cacheBytes: () => number;
      readonly pulls: () => number;
    },
  ) {
    const requests = this.#requests;
    const registers = [metrics];
    new Counter({
      name: 'breakwater_registry_requests_total',
      help: 'Requests answered by the registry, by route, method and status.',
      labelNames: ['route', 'method', 'status'],
      registers,
      collect() {
        this.reset();
        for (const [key, count] of requests) {
          const [route = '', method = '', status = ''] = key.split(' ');
          this.inc({ route, method, status }, count);
        }
      },
    });
    this.#total(metrics, 'received_bytes_total', 'Bytes of blobs taken in.', () => this.receivedBytes);
    this.#total(metrics, 'sent_bytes_total', 'Bytes of blobs sent out.', () => this.sentBytes);
    this.#total(metrics, 'pulls_total', 'Manifests pulled by users.', sources.pulls);
    this.#total(
      metrics,
      'collected_bytes_total',
      'Bytes freed by garbage collection.',
      () => this.collectedBytes,
    );
    this.#gauge(metrics, 'transfers', 'Uploads and downloads under way.', sources.transfers);
    this.#gauge(metrics, 'cache_bytes', 'Bytes held by the caches of the pull paths.', sources.cacheBytes);
  }

  /** Counts an answered request. */
  count(route: string, method: string, status: number): void {
    const key = `${route} ${method} ${status}`;
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
  }

  #total(metrics: Metrics, name: string, help: string, value: () => number): void {
    new Counter({
      name: `breakwater_registry_${name}`,
      help,
      registers: [metrics],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  }

  #gauge(metrics: Metrics, name: string, help: string, value: () => number): void {
    new Gauge({
      name: `breakwater_registry_${name}`,
      help,
      registers: [metrics],
      collect() {
        this.set(value());
      },
    });
  }
}
