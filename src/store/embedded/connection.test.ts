// Cutting the frontend stream: the same groups however the bytes arrive, and nothing but closing on bytes that are not one.
import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Socket } from 'node:net';
import { Connection } from './connection.ts';
import type { SessionClient, SessionOwner } from './session-owner.ts';

/** The two ends of a connection, in memory: what is under test is the cutting alone. */
class Wire extends EventEmitter {
  destroyed = false;
  readonly written: Buffer[] = [];
  write(bytes: Buffer): void {
    this.written.push(Buffer.from(bytes));
  }
  destroy(): void {
    this.destroyed = true;
  }
}

function connect(): { wire: Wire; groups: () => string[]; connection: Connection } {
  const wire = new Wire();
  const session = { ready: (_client: SessionClient) => undefined };
  const connection = new Connection(wire as unknown as Socket, session as unknown as SessionOwner);
  const groups = (): string[] => {
    const found: string[] = [];
    for (let group = connection.next(); group !== undefined; group = connection.next()) {
      found.push(`${Buffer.from(group.bytes).toString('hex')}${group.ends ? '.' : ''}`);
    }
    return found;
  };
  return { wire, groups, connection };
}

function message(type: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const startup = Buffer.from('0000001200030000757365720078000000ff', 'hex');

describe('Connection', () => {
  it('cuts the same groups however the bytes are split', () => {
    const messages = fc.array(fc.tuple(fc.constantFrom('P', 'B', 'D', 'E', 'S', 'Q', 'H'), fc.uint8Array()), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (list, sizes) => {
        const bytes = Buffer.concat([startup, ...list.map(([type, body]) => message(type, body))]);
        const whole = connect();
        whole.wire.emit('data', bytes);
        const pieces = connect();
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          pieces.wire.emit('data', bytes.subarray(at, at + size));
          at += size;
        }
        const expected = whole.groups();
        expect(pieces.groups()).toEqual(expected);
        const ends = list.filter(([type]) => 'SQH'.includes(type)).length;
        expect(expected).toHaveLength(1 + ends);
      }),
    );
  });

  it('answers requests for encryption with no, and goes on', () => {
    const { wire, groups } = connect();
    wire.emit('data', Buffer.from('0000000804d2162f', 'hex'));
    wire.emit('data', startup);
    expect(Buffer.concat(wire.written).toString()).toBe('N');
    expect(groups()).toHaveLength(1);
  });

  it('never throws, whatever arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), fc.boolean(), (chunks, started) => {
        const { wire, connection } = connect();
        if (started) wire.emit('data', startup);
        for (const chunk of chunks) wire.emit('data', Buffer.from(chunk));
        expect(connection.closed).toBe(wire.destroyed);
      }),
      { numRuns: 500 },
    );
  });

  it('closes on a message larger than it takes', () => {
    const { wire } = connect();
    wire.emit('data', startup);
    wire.emit('data', Buffer.from('517fffffff', 'hex'));
    expect(wire.destroyed).toBe(true);
  });
});
