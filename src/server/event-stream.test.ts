// The event stream: resuming, bounded memory and clients, slow clients dropped; with real streams.
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { EventStream, formatEvent, type StreamRequest } from './event-stream.ts';
import { lastEventId } from './routes/events.ts';
import type { StoredEvent } from './webhooks/cloud-event.ts';

const open: EventStream[] = [];
function make(options: ConstructorParameters<typeof EventStream>[1] = {}): EventStream {
  const stream = new EventStream(() => now, options);
  open.push(stream);
  return stream;
}
let now = 0;
afterEach(() => {
  for (const stream of open.splice(0)) stream.close();
});

const event = (id: string, name = 'scan.finished'): StoredEvent => ({
  id,
  name,
  at: '2026-01-01T00:00:00Z',
  body: { n: id },
});
function follow(
  stream: EventStream,
  request: Partial<StreamRequest> = {},
  highWaterMark = 1 << 20,
): { text(): string; pipe: PassThrough } {
  const pipe = new PassThrough({ highWaterMark });
  stream.attach(pipe, {
    lastEventId: undefined,
    names: new Set(),
    expiresAt: Number.MAX_SAFE_INTEGER,
    ...request,
  });
  return { pipe, text: () => String(pipe.read() ?? '') };
}
const ids = (text: string): string[] => [...text.matchAll(/^id: (.*)$/gm)].map((match) => match[1] ?? '');

describe('event stream', () => {
  it('sends what happens after the client came, each event once', () => {
    const stream = make();
    stream.publish(event('1'));
    const client = follow(stream);
    stream.publish(event('2'));
    stream.publish(event('2'));
    expect(ids(client.text())).toEqual(['2']);
  });

  it('resumes after the last event the client saw', () => {
    const stream = make();
    for (const id of ['1', '2', '3']) stream.publish(event(id));
    expect(ids(follow(stream, { lastEventId: '1' }).text())).toEqual(['2', '3']);
    expect(ids(follow(stream, { lastEventId: '3' }).text())).toEqual([]);
  });

  it('says reset when its memory does not reach back that far', () => {
    const stream = make({ remembered: 2 });
    for (const id of ['1', '2', '3']) stream.publish(event(id));
    const text = follow(stream, { lastEventId: '1' }).text();
    expect(text).toContain('event: reset\n');
    expect(ids(text)).toEqual([]);
  });

  it('sends only the wanted names', () => {
    const stream = make();
    const client = follow(stream, { names: new Set(['image.pushed']) });
    stream.publish(event('1'));
    stream.publish(event('2', 'image.pushed'));
    expect(ids(client.text())).toEqual(['2']);
  });

  it('drops a client that does not read, and counts those that follow', () => {
    const stream = make({ maxBacklogBytes: 2_000, maxClients: 1 });
    const client = follow(stream, {}, 16);
    expect(stream.full).toBe(true);
    for (let i = 0; i < 100; i++) stream.publish(event(String(i)));
    expect(client.pipe.destroyed).toBe(true);
    expect(stream.clients).toBe(0);
    expect(stream.full).toBe(false);
  });

  it('sends heartbeats and ends a client whose access has ended', async () => {
    const stream = make({ heartbeatMs: 5 });
    now = 100;
    const lasting = follow(stream);
    const ending = follow(stream, { expiresAt: 50 });
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(lasting.text()).toContain(': heartbeat\n\n');
    expect(ending.pipe.writableEnded).toBe(true);
    expect(stream.clients).toBe(1);
  });

  it('takes any Last-Event-ID without failing', () => {
    const stream = make();
    stream.publish(event('1'));
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.string()), fc.constant(undefined)),
        (header) => {
          const id = lastEventId(header);
          const text = follow(stream, { lastEventId: id }).text();
          if (id !== undefined && id !== '1') expect(text).toContain('event: reset');
        },
      ),
    );
  });

  it('writes one record whatever is in the event', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const record = formatEvent({ ...event('1'), body: { text } });
        expect(record.split('\n').length).toBe(5);
        expect(record.endsWith('\n\n')).toBe(true);
      }),
    );
  });
});
