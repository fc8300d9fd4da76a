// rpm's own NDB format (rpmpkg.c): `Packages.db` of SUSE; slots that point to header blobs. All numbers little-endian.
import type { HeaderSink } from './database.ts';
import { PageBudget } from './page-budget.ts';

const FILE_MAGIC = magic('RpmP');
const SLOT_MAGIC = magic('Slot');
const BLOB_MAGIC = magic('BlbS');
const HEADER_BYTES = 32;
const SLOT_PAGE_BYTES = 4096;
const SLOT_BYTES = 16;
const BLOCK_BYTES = 16;
const BLOB_HEAD_BYTES = 16;
const BLOB_TAIL_BYTES = 12;

/** Does the file begin as an NDB package file? */
export function isNdb(file: Buffer): boolean {
  return file.length >= HEADER_BYTES && file.readUInt32LE(0) === FILE_MAGIC;
}

/** Hands over every blob that a slot points to. Only call when `isNdb`. */
export function readNdb(file: Buffer, sink: HeaderSink): void {
  const version = file.readUInt32LE(4);
  if (version !== 0) {
    sink.damage(`version ${version} of the format`);
    return;
  }
  const slotBytes = file.readUInt32LE(12) * SLOT_PAGE_BYTES;
  if (slotBytes > file.length) sink.damage(`${slotBytes} bytes of slots in a file of ${file.length}`);
  const end = Math.min(slotBytes, file.length);
  const budget = new PageBudget(0, file.length);
  for (let slot = HEADER_BYTES; slot + SLOT_BYTES <= end; slot += SLOT_BYTES) {
    if (file.readUInt32LE(slot) !== SLOT_MAGIC) {
      sink.damage(`slot at byte ${slot}`);
      continue;
    }
    const packageIndex = file.readUInt32LE(slot + 4);
    if (packageIndex === 0 || file.readUInt32LE(slot + 8) === 0) continue;
    const blob = blobAt(file, slot, packageIndex);
    if (blob === undefined || !budget.take(blob.length)) sink.damage(`package ${packageIndex}`);
    else sink.header(blob);
  }
}

function blobAt(file: Buffer, slot: number, packageIndex: number): Buffer | undefined {
  const start = file.readUInt32LE(slot + 8) * BLOCK_BYTES;
  const room = file.readUInt32LE(slot + 12) * BLOCK_BYTES;
  if (room < BLOB_HEAD_BYTES + BLOB_TAIL_BYTES || start + room > file.length) return undefined;
  const length = file.readUInt32LE(start + 12);
  const whole = file.readUInt32LE(start) === BLOB_MAGIC && file.readUInt32LE(start + 4) === packageIndex;
  if (!whole || BLOB_HEAD_BYTES + length + BLOB_TAIL_BYTES > room) return undefined;
  return file.subarray(start + BLOB_HEAD_BYTES, start + BLOB_HEAD_BYTES + length);
}

function magic(letters: string): number {
  return Buffer.from(letters, 'latin1').readUInt32LE(0);
}
