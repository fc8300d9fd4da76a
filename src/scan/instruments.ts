// Prometheus metrics of scans.
import { Counter, Gauge, Histogram, type Metrics } from '../core/index.ts';

/** What is measured of scans. */
export interface ScanInstruments {
  readonly duration: Histogram;
  readonly ended: Counter;
  readonly running: Gauge;
}

/** Registers the instruments; once for each registry of metrics. */
export function scanInstruments(metrics: Metrics): ScanInstruments {
  return {
    duration: new Histogram({
      name: 'breakwater_scan_duration_seconds',
      help: 'Duration of image scans, from the start of the scan process to the stored result.',
      buckets: [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
      registers: [metrics],
    }),
    ended: new Counter({
      name: 'breakwater_scans_total',
      help: 'Ended scan attempts by outcome: finished, unscannable, failed, retried.',
      labelNames: ['outcome'],
      registers: [metrics],
    }),
    running: new Gauge({
      name: 'breakwater_scans_running',
      help: 'Scans running now.',
      registers: [metrics],
    }),
  };
}
