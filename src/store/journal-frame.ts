// Journal records on disk: marker, length, CRC-32, sequence number, then kind and record as JSON.
import { crc32 } from 'node:zlib';
import { KiB } from '../core/index.ts';
import { storeErrors } from './errors.ts';

/** First bytes of a segment file. */
export const SEGMENT_HEADER = Buffer.from('BWJRNL1\n', 'latin1');

/** Largest frame, its head included, in bytes. */
export const MAX_FRAME_BYTES = 128 * KiB;

/** Starts every frame, so that reading can go on behind damaged bytes. JSON text cannot hold the first byte. */
const MARKER = Buffer.from([0xb7, 0x4a, 0x52, 0x4e]);

/** marker 4, length of the payload 4, CRC-32 of sequence and payload 4, sequence 8. */
const HEAD_BYTES = 20;

export type JournalRecord = Readonly<Record<string, unknown>>;

export interface JournalFrame {
  /** Counts up by one from record to record of one journal; what was imported is known by it. */
  readonly sequence: number;
  readonly kind: string;
  readonly record: JournalRecord;
}

export type ParsedFrame =
  | { readonly status: 'frame'; readonly frame: JournalFrame; readonly next: number }
  /** The bytes end within the frame. */
  | { readonly status: 'incomplete' }
  | { readonly status: 'damaged' };

/** Throws STORE_JOURNAL_RECORD_TOO_LARGE above {@link MAX_FRAME_BYTES}. */
export function encodeFrame(frame: JournalFrame): Buffer {
  const payload = Buffer.from(JSON.stringify([frame.kind, frame.record]), 'utf8');
  const size = HEAD_BYTES + payload.length;
  if (size > MAX_FRAME_BYTES) {
    throw storeErrors.create('STORE_JOURNAL_RECORD_TOO_LARGE', {
      kind: frame.kind,
      size,
      limit: MAX_FRAME_BYTES,
    });
  }
  const bytes = Buffer.allocUnsafe(size);
  MARKER.copy(bytes, 0);
  bytes.writeUInt32BE(payload.length, 4);
  bytes.writeBigUInt64BE(BigInt(frame.sequence), 12);
  payload.copy(bytes, HEAD_BYTES);
  bytes.writeUInt32BE(crc32(bytes.subarray(12)), 8);
  return bytes;
}

/** Reads the frame at `at`. Never throws, whatever the bytes. */
export function parseFrame(bytes: Buffer, at: number): ParsedFrame {
  const head = bytes.subarray(at, at + HEAD_BYTES);
  const marker = head.subarray(0, MARKER.length);
  if (!marker.equals(MARKER.subarray(0, marker.length))) return { status: 'damaged' };
  if (head.length < HEAD_BYTES) return { status: 'incomplete' };
  const next = at + HEAD_BYTES + head.readUInt32BE(4);
  if (next - at > MAX_FRAME_BYTES) return { status: 'damaged' };
  if (next > bytes.length) return { status: 'incomplete' };
  if (crc32(bytes.subarray(at + 12, next)) !== head.readUInt32BE(8)) return { status: 'damaged' };
  const sequence = Number(head.readBigUInt64BE(12));
  const content = parsePayload(bytes.toString('utf8', at + HEAD_BYTES, next));
  if (content === undefined || !Number.isSafeInteger(sequence)) return { status: 'damaged' };
  return { status: 'frame', frame: { sequence, ...content }, next };
}

/** Where the next whole frame starts at or after `from`, or undefined when none follows. */
export function findFrame(bytes: Buffer, from: number): number | undefined {
  for (let at = bytes.indexOf(MARKER, from); at !== -1; at = bytes.indexOf(MARKER, at + 1)) {
    if (parseFrame(bytes, at).status === 'frame') return at;
  }
  return undefined;
}

function parsePayload(text: string): { kind: string; record: JournalRecord } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [kind, record]: unknown[] = value;
  if (typeof kind !== 'string' || !isRecord(record)) return undefined;
  return { kind, record };
}

function isRecord(value: unknown): value is JournalRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
