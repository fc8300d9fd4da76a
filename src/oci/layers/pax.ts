// PAX extended headers (POSIX.1-2001 pax(1)): "length key=value\n" records.

/** The records that matter to a reader of layers; values as stored, an empty value means "as if not given". */
export interface PaxRecords {
  path?: string;
  linkpath?: string;
  size?: number;
  /** GNU sparse formats 0.0, 0.1 and 1.0: present when any `GNU.sparse.` record is. */
  sparse?: { name?: string; realSize?: number };
}

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;

/** Reads all records; null when one is malformed. Later records replace earlier ones. Never throws. */
export function parsePaxRecords(bytes: Buffer): PaxRecords | null {
  const records: PaxRecords = {};
  let offset = 0;
  while (offset < bytes.length) {
    const length = parseLength(bytes, offset);
    if (length === null) return null;
    const end = offset + length.total;
    const keyStart = offset + length.digits + 1;
    if (end > bytes.length || end <= keyStart || bytes[end - 1] !== NEWLINE) return null;
    const equals = bytes.indexOf(EQUALS, keyStart);
    if (equals < 0 || equals >= end || equals === keyStart) return null;
    const key = bytes.toString('utf8', keyStart, equals);
    if (!applyRecord(records, key, bytes, equals + 1, end - 1)) return null;
    offset = end;
  }
  return records;
}

function parseLength(bytes: Buffer, offset: number): { total: number; digits: number } | null {
  let total = 0;
  for (let digits = 0; digits < 9; digits++) {
    const byte = bytes[offset + digits];
    if (byte === undefined) return null;
    if (byte === SPACE) return digits === 0 ? null : { total, digits };
    if (byte < 0x30 || byte > 0x39) return null;
    total = total * 10 + (byte - 0x30);
  }
  return null;
}

/** False when the value is not valid for its key. */
function applyRecord(records: PaxRecords, key: string, bytes: Buffer, start: number, end: number): boolean {
  const text = (): string => bytes.toString('utf8', start, end);
  switch (key) {
    case 'path':
      records.path = text();
      return true;
    case 'linkpath':
      records.linkpath = text();
      return true;
    case 'size': {
      if (start === end) {
        delete records.size;
        return true;
      }
      const size = parseDecimal(text());
      if (size !== null) records.size = size;
      return size !== null;
    }
    default:
      return key.startsWith('GNU.sparse.') ? applySparse(records, key, text()) : true;
  }
}

function applySparse(records: PaxRecords, key: string, text: string): boolean {
  const sparse = (records.sparse ??= {});
  if (key === 'GNU.sparse.name') sparse.name = text;
  if (key !== 'GNU.sparse.realsize' && key !== 'GNU.sparse.size') return true;
  const realSize = parseDecimal(text);
  if (realSize !== null) sparse.realSize = realSize;
  return realSize !== null;
}

function parseDecimal(text: string): number | null {
  if (!/^\d{1,16}$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}
