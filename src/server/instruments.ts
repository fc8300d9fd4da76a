// What the server measures: HTTP requests, scans, event clients.
import type { FastifyInstance } from 'fastify';
import { Counter, type EventBus, Gauge, Histogram, type Metrics } from '../core/index.ts';
import type { EventStream } from './event-stream.ts';

/** Upper bounds of the duration buckets, in seconds. */
const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Measures every request of the API by route pattern, never by path: a path is unbounded. */
export function measureRequests(app: FastifyInstance, metrics: Metrics): void {
  const durations = new Histogram({
    name: 'breakwater_api_request_duration_seconds',
    help: 'Time to answer a request of the REST API',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers: [metrics],
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    durations.observe(
      { method: request.method, route, status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    );
  });
}

/** Counts what the bus tells of and who follows it. */
export function measureEvents(events: EventBus, stream: EventStream, metrics: Metrics): void {
  const seen = new Counter({
    name: 'breakwater_events_total',
    help: 'Events by name; scan.finished also by how the scan ended',
    labelNames: ['event', 'status'],
    registers: [metrics],
  });
  events.subscribe('image.pushed', () => seen.inc({ event: 'image.pushed', status: 'finished' }));
  events.subscribe('image.deleted', () => seen.inc({ event: 'image.deleted', status: 'finished' }));
  events.subscribe('scan.finished', (event) => seen.inc({ event: 'scan.finished', status: event.status }));
  events.subscribe('finding.opened', () => seen.inc({ event: 'finding.opened', status: 'finished' }));
  events.subscribe('finding.closed', () => seen.inc({ event: 'finding.closed', status: 'finished' }));
  new Gauge({
    name: 'breakwater_event_clients',
    help: 'Clients that follow the event stream',
    registers: [metrics],
    collect() {
      this.set(stream.clients);
    },
  });
}
