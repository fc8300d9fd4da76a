// One connection on the private socket: cuts the frontend stream (PostgreSQL protocol 3.0) into message groups.
import type { Socket } from 'node:net';
import type { SessionClient, SessionOwner } from './session-owner.ts';

/** Largest frontend message taken, in bytes. Rows of ours are far smaller. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;

const QUERY = 0x51;
const SYNC = 0x53;
const FLUSH = 0x48;
const TERMINATE = 0x58;

interface Group {
  readonly bytes: Uint8Array;
  readonly ends: boolean;
}

export class Connection implements SessionClient {
  closed = false;
  readonly #socket: Socket;
  readonly #session: SessionOwner;
  #started = false;
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** Bytes needed before looking again; keeps large messages linear. */
  #wanted = 8;
  #messages: Buffer[] = [];
  readonly #groups: Group[] = [];

  constructor(socket: Socket, session: SessionOwner) {
    this.#socket = socket;
    this.#session = session;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => this.#close());
    socket.on('close', () => this.#close());
  }

  next(): Group | undefined {
    return this.#groups.shift();
  }

  answer(bytes: Uint8Array): void {
    if (!this.closed) this.#socket.write(Buffer.from(bytes));
  }

  expire(): void {
    this.#close();
  }

  #close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#groups.length = 0;
    this.#chunks = [];
    this.#messages = [];
    this.#socket.destroy();
    this.#session.ready(this);
  }

  #take(chunk: Buffer): void {
    if (this.closed) return;
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    if (this.#buffered < this.#wanted) return;
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    for (;;) {
      const length = this.#messageLength(rest);
      if (length === undefined) return this.#close();
      this.#wanted = length;
      if (rest.length < length) break;
      this.#message(rest.subarray(0, length));
      if (this.closed) return;
      rest = rest.subarray(length);
    }
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#buffered = rest.length;
  }

  /** Length of the message that `bytes` begins with, or what is needed to know it; undefined when it is not one. */
  #messageLength(bytes: Buffer): number | undefined {
    const header = this.#started ? 1 : 0;
    if (bytes.length < header + 4) return header + 4;
    const length = bytes.readUInt32BE(header);
    const least = this.#started ? 4 : 8;
    return length < least || length > MAX_MESSAGE_BYTES ? undefined : header + length;
  }

  #message(bytes: Buffer): void {
    if (!this.#started) return this.#startup(bytes);
    const type = bytes[0];
    if (type === TERMINATE) return this.#close();
    this.#messages.push(bytes);
    if (type === QUERY || type === SYNC || type === FLUSH) this.#group(type !== FLUSH);
  }

  #startup(bytes: Buffer): void {
    const code = bytes.readUInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) {
      this.#socket.write('N');
      return;
    }
    if (code === CANCEL_REQUEST) return this.#close();
    this.#started = true;
    this.#messages.push(bytes);
    this.#group(true);
  }

  #group(ends: boolean): void {
    // A copy: the engine keeps no view, but the chunks would stay alive as long as one group waits.
    this.#groups.push({ bytes: Buffer.concat(this.#messages), ends });
    this.#messages = [];
    this.#session.ready(this);
  }
}
