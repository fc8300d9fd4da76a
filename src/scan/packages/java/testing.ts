// Test support (imported by tests only): zip archives made in memory.
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipFile {
  readonly name: string;
  readonly content: string | Uint8Array;
  readonly stored?: boolean;
  /** Told instead of the real size. */
  readonly claimedSize?: number;
  readonly encrypted?: boolean;
  /** How often the directory lists it; default 1. */
  readonly listed?: number;
}

/** A zip archive of these files; `before` are bytes in front of it, as in executable jars. */
export function zipOf(files: readonly ZipFile[], before: Uint8Array = Buffer.alloc(0)): Buffer {
  const parts: Buffer[] = [Buffer.from(before)];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, stored = false, claimedSize, encrypted = false, listed = 1 } of files) {
    const bytes = Buffer.from(content);
    const packed = stored ? bytes : deflateRawSync(bytes);
    const nameBytes = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(encrypted ? 1 : 0, 2);
    fields.writeUInt16LE(stored ? 0 : 8, 4);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(claimedSize ?? bytes.length, 18);
    fields.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, nameBytes, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    const entry = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, tail, nameBytes]);
    for (let count = 0; count < listed; count++) directory.push(entry);
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

/** The pom.properties of an artifact, at its place. */
export function pom(group: string, artifact: string, version: string): ZipFile {
  const content = `#Created by Apache Maven\ngroupId=${group}\nartifactId=${artifact}\nversion=${version}\n`;
  return { name: `META-INF/maven/${group}/${artifact}/pom.properties`, content };
}
