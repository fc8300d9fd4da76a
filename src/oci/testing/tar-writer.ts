// Writes tar archives for tests, right and deliberately wrong ones, byte by byte.

export interface TestHeader {
  readonly name: string;
  readonly type?: string;
  readonly size?: number;
  readonly linkName?: string;
  readonly mode?: number;
  readonly prefix?: string;
  /** Magic and version, 8 bytes: ustar by default. */
  readonly magic?: string;
  /** Raw bytes for the size field instead of octal digits. */
  readonly sizeField?: Buffer;
  readonly damagedChecksum?: boolean;
  /** Further bytes to put at offsets, before the checksum is computed. */
  readonly raw?: readonly (readonly [number, Buffer])[];
}

/** One 512-byte header. */
export function tarHeader(header: TestHeader): Buffer {
  const block = Buffer.alloc(512);
  block.write(header.name, 0, 100);
  block.write(`${(header.mode ?? 0o644).toString(8).padStart(7, '0')}\0`, 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  if (header.sizeField) header.sizeField.copy(block, 124);
  else block.write(`${(header.size ?? 0).toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write(header.type ?? '0', 156, 1, 'latin1');
  block.write(header.linkName ?? '', 157, 100);
  block.write(header.magic ?? 'ustar\x0000', 257, 8, 'latin1');
  block.write(header.prefix ?? '', 345, 155);
  for (const [offset, bytes] of header.raw ?? []) bytes.copy(block, offset);
  block.write('        ', 148);
  const sum = block.reduce((total, byte) => total + byte, 0) + (header.damagedChecksum ? 1 : 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Content filled up to whole blocks. */
export function tarContent(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A member: header and content. */
export function tarFile(name: string, content: Buffer | string, header: Partial<TestHeader> = {}): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([tarHeader({ name, size: bytes.length, ...header }), tarContent(bytes)]);
}

/** A PAX header with these records; `type` `g` for a global one. */
export function paxHeader(records: Readonly<Record<string, string>>, type = 'x'): Buffer {
  const text = Object.entries(records).map(([key, value]) => paxRecord(key, value));
  return tarFile('PaxHeaders/0', Buffer.concat(text), { type });
}

function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

/** A GNU long name (`L`) or long link (`K`) header. */
export function gnuLong(type: 'L' | 'K', name: string): Buffer {
  return tarFile('././@LongLink', `${name}\0`, { type, magic: 'ustar  \0' });
}

/** Members and the end marker. */
export function tarArchive(...members: readonly Buffer[]): Buffer {
  return Buffer.concat([...members, Buffer.alloc(1024)]);
}
