// Foundations that import nothing of ours: errors, events, logging, metrics, limits, clock, HTTP client.
export * from './clock.ts';
export * from './errors.ts';
export * from './events.ts';
export * from './image-directory.ts';
export * from './job-names.ts';
export * from './limits.ts';
export * from './logging.ts';
export * from './metrics.ts';
export * from './nursery.ts';
export * from './severity.ts';
export * from './http-client.ts';
export * from './proxies.ts';
