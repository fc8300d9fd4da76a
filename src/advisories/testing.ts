// Test support (imported by tests only): zip archives and OSV records.
import { crc32, deflateRawSync } from 'node:zlib';

/** A zip archive of deflated or stored members (APPNOTE 4.3). */
export function zip(members: Readonly<Record<string, string>>, method: 0 | 8 = 8): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(members)) {
    const raw = Buffer.from(text);
    const packed = method === 8 ? deflateRawSync(raw) : raw;
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(method, 4);
    head.writeUInt32LE(crc32(raw), 10);
    head.writeUInt32LE(packed.length, 14);
    head.writeUInt32LE(raw.length, 18);
    head.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), head, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), head, rest, Buffer.from(name));
    bodies.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(bodies.length, 8);
  end.writeUInt16LE(bodies.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, central, end]);
}

/** An OSV record about one npm package. */
export function osvRecord(id: string, name: string, fixed: string): Readonly<Record<string, unknown>> {
  return {
    id,
    modified: '2026-01-01T00:00:00Z',
    summary: `flaw ${id}`,
    affected: [
      {
        package: { ecosystem: 'npm', name },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }],
      },
    ],
  };
}

/** An export of osv.dev: one member per record. */
export function osvExport(...records: readonly Readonly<Record<string, unknown>>[]): Buffer {
  return zip(Object.fromEntries(records.map((record, at) => [`record-${at}.json`, JSON.stringify(record)])));
}
