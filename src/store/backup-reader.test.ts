// The reader of backup files on damaged and hostile bytes: coded errors only, never more than the file says.
import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BreakwaterError, MiB } from '../core/index.ts';
import { DIGEST_BYTES, END_MAGIC, type BackupRow } from './backup-format.ts';
import { readObjects } from './backup-objects.ts';
import { openBackup, readRows, readSection } from './backup-reader.ts';
import { BackupFileWriter } from './backup-writer.ts';

const ROWS: BackupRow[] = [
  ['1', 'plain'],
  ['2', 'line\nbreak, "quotes" and \u{1f6a2}'],
  ['3', null],
];
const OBJECT = Buffer.from('the bytes of an object');

function frame(id: string, bytes: Buffer, size = bytes.length): Buffer {
  const head = Buffer.alloc(40);
  head.write(id, 0, 'latin1');
  head.writeBigUInt64BE(BigInt(size), 32);
  return Buffer.concat([head, bytes, createHash('sha256').update(bytes).digest()]);
}

describe('backup files', () => {
  let directory: string;
  let whole: Buffer;
  let path: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'breakwater-backup-'));
    path = join(directory, 'changed');
    const out = join(directory, 'backup');
    const writer = await BackupFileWriter.create(out, 'x', {
      createdAt: '2026-01-02T03:04:05.678Z',
      contents: 'metadata and blobs',
      migrations: ['0001-store'],
    });
    const lines = ROWS.map((row) => Buffer.from(`${JSON.stringify(row)}\n`));
    const rows = await writer.section(from(lines), 3);
    const objects = await writer.section(from([frame('0'.repeat(32), OBJECT)]), 1);
    const columns = [
      { name: 'id', type: 'bigint' },
      { name: 'words', type: 'text' },
    ];
    await writer.finish({
      tables: [{ name: 'sample', columns, rows: ROWS.length, ...rows }],
      objects: { ...objects, count: 1, bytes: OBJECT.length, missing: 0 },
    });
    whole = await readFile(out);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** Reads everything a file holds. */
  async function readAll(bytes: Buffer): Promise<{ rows: BackupRow[]; objects: string[] }> {
    await writeFile(path, bytes);
    const file = await openBackup(path);
    try {
      const rows: BackupRow[] = [];
      for (const table of file.index.tables) {
        for await (const row of readRows(file.handle, path, table)) rows.push(row);
      }
      const objects: string[] = [];
      if (file.index.objects !== null) {
        let pieces: Buffer[] = [];
        await readObjects(path, readSection(file.handle, path, file.index.objects), {
          begin: async () => {
            pieces = [];
          },
          bytes: async (chunk) => {
            pieces.push(chunk);
          },
          end: async () => {
            objects.push(Buffer.concat(pieces).toString());
          },
        });
      }
      return { rows, objects };
    } finally {
      await file.close();
    }
  }

  /** Recomputes the digest, so that the bytes get past the check of the whole. */
  function resealed(bytes: Buffer): Buffer {
    const covered = bytes.subarray(0, Math.max(0, bytes.length - END_MAGIC.length - DIGEST_BYTES));
    return Buffer.concat([covered, createHash('sha256').update(covered).digest(), END_MAGIC]);
  }

  it('reads what was written', async () => {
    expect(await readAll(whole)).toEqual({ rows: ROWS, objects: [OBJECT.toString()] });
  });

  it('refuses every cut and every flipped bit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 0, max: 7 }), fc.boolean(), async (where, bit, cut) => {
        const at = where % whole.length;
        const bytes = Buffer.from(cut ? whole.subarray(0, at) : whole);
        if (!cut) bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        await expect(readAll(bytes)).rejects.toMatchObject({
          code: expect.stringMatching(/^STORE_BACKUP_(DAMAGED|NEWER_FORMAT)$/),
        });
      }),
      { numRuns: 300 },
    );
  });

  it('answers changed bytes under a fitting digest with content or a coded error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat(), { nil: undefined }),
        async (changes, cut) => {
          const bytes = Buffer.from(cut === undefined ? whole : whole.subarray(0, cut % whole.length));
          for (const [where, value] of changes)
            if (bytes.length > 0) bytes.writeUInt8(value, where % bytes.length);
          const outcome = await readAll(resealed(bytes)).catch((error: unknown) => error);
          if (outcome instanceof Error) expect(outcome).toBeInstanceOf(BreakwaterError);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('hands out no object that is cut, too large, badly named or does not match its digest', async () => {
    const good = frame('a'.repeat(32), OBJECT);
    const wrong = Buffer.from(good);
    wrong.writeUInt8(wrong.readUInt8(45) ^ 1, 45);
    const cases = [
      good.subarray(0, good.length - 1),
      good.subarray(0, 20),
      wrong,
      frame('../../../../../../../etc/passwd0', OBJECT),
      frame('a'.repeat(32), OBJECT, 2 ** 52),
      frame('a'.repeat(32), OBJECT, OBJECT.length + 1),
    ];
    for (const bytes of cases) {
      let ended = 0;
      const nothing = async (): Promise<void> => undefined;
      const sink = {
        begin: nothing,
        bytes: nothing,
        end: async () => {
          ended += 1;
        },
      };
      await expect(
        readObjects('x', from([bytes.subarray(0, 7), bytes.subarray(7)]), sink),
      ).rejects.toMatchObject({
        code: 'STORE_BACKUP_DAMAGED',
      });
      expect(ended).toBe(0);
    }
  });

  it('does not keep a section that unpacks to very much', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(100 * MiB));
    await writeFile(path, bomb);
    const handle = await open(path, 'r');
    try {
      const table = { name: 't', columns: [{ name: 'a', type: 'text' }], offset: 0, length: bomb.length };
      const reading = (async () => {
        for await (const row of readRows(handle, path, table)) expect(row).toBeUndefined();
      })();
      await expect(reading).rejects.toMatchObject({ code: 'STORE_BACKUP_DAMAGED' });
    } finally {
      await handle.close();
    }
  });
});

async function* from(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}
