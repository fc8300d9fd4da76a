// The event bus: delivery, end of subscription, and listeners that fail.
import { describe, expect, it } from 'vitest';
import { EventBus, type ImageDeleted } from './events.ts';
import { silentLogger } from './logging.ts';

const event: ImageDeleted = {
  repository: 'a',
  tag: null,
  digest: 'sha256:0',
  actor: 'admin',
  at: '2026-01-01T00:00:00Z',
};

describe('EventBus', () => {
  it('delivers to every listener of the name until it unsubscribes, whatever other listeners do', async () => {
    const bus = new EventBus(silentLogger());
    const seen: string[] = [];
    bus.subscribe('image.deleted', () => Promise.reject(new Error('broken listener')));
    bus.subscribe('image.deleted', () => {
      throw new Error('broken listener');
    });
    const end = bus.subscribe('image.deleted', ({ repository }) => {
      seen.push(repository);
    });
    bus.publish('image.deleted', event);
    await new Promise((resolve) => setImmediate(resolve));
    end();
    bus.publish('image.deleted', event);
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual(['a']);
  });
});
