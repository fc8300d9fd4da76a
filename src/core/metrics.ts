// Prometheus metrics (text exposition format 0.0.4). One registry per server, handed to whoever measures.
import { Registry, collectDefaultMetrics } from 'prom-client';

export { Counter, Gauge, Histogram } from 'prom-client';

/** Where a server's metrics are registered. */
export type Metrics = Registry;

/** A registry with Node's own metrics in it. Each server has its own, so that two can live in one test. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
