// readLayer on well-formed layers: formats, compression, content, whiteouts.
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { digestOf, ociErrors, OCI_LAYER, readLayer, type LayerSummary } from '../index.ts';
import { RecordingVisitor } from '../testing/recording-visitor.ts';
import { gnuLong, paxHeader, tarArchive, tarFile, tarHeader } from '../testing/tar-writer.ts';

async function read(
  bytes: Buffer,
  options: { visitor?: RecordingVisitor; chunk?: number } = {},
): Promise<LayerSummary & { visitor: RecordingVisitor }> {
  const visitor = options.visitor ?? new RecordingVisitor();
  const summary = await readLayer(Readable.from(chunks(bytes, options.chunk ?? 65_536)), OCI_LAYER, visitor);
  return { ...summary, visitor };
}

function* chunks(bytes: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

const SMALL = tarArchive(
  tarHeader({ name: './', type: '5', mode: 0o755 }),
  tarHeader({ name: './etc/', type: '5', mode: 0o755 }),
  tarFile('./etc/hostname', 'breakwater\n', { mode: 0o640 }),
  tarHeader({ name: './etc/alias', type: '2', linkName: '../run/alias' }),
  tarHeader({ name: './etc/hard', type: '1', linkName: './etc/hostname' }),
  tarHeader({ name: './dev/null', type: '3' }),
  tarHeader({ name: './run/pipe', type: '6' }),
  tarFile('./empty', ''),
);

describe('readLayer', () => {
  it('reports entries, content, sizes and the diffID', async () => {
    const { visitor, ...summary } = await read(SMALL);
    expect(summary).toEqual({
      diffId: digestOf(SMALL),
      size: SMALL.length,
      uncompressedSize: SMALL.length,
      entries: 8,
      complete: true,
      problems: [],
    });
    expect(
      visitor.entries.map(({ path, type, linkName, size, content }) => [path, type, linkName, size, content]),
    ).toEqual([
      ['etc', 'directory', null, 0, null],
      ['etc/hostname', 'file', null, 11, 'breakwater\n'],
      ['etc/alias', 'symlink', '../run/alias', 0, null],
      ['etc/hard', 'hardlink', './etc/hostname', 0, null],
      ['dev/null', 'other', null, 0, null],
      ['run/pipe', 'other', null, 0, null],
      ['empty', 'file', null, 0, ''],
    ]);
    expect(visitor.entries[1]?.mode).toBe(0o640);
  });

  it.each([
    ['gzip', gzipSync(SMALL)],
    [
      'gzip of many members',
      Buffer.concat([gzipSync(SMALL.subarray(0, 700)), gzipSync(SMALL.subarray(700))]),
    ],
    ['zstd', zstdCompressSync(SMALL)],
    ['zstd of many frames, some skippable', zstdFrames(SMALL, 700)],
  ])('reads %s in chunks of any size to the same result', async (_name, stored) => {
    for (const chunk of [1, 7, 511, 65_536]) {
      for (const asStream of [false, true]) {
        const { visitor, ...summary } = await read(stored, {
          chunk,
          visitor: new RecordingVisitor({ asStream }),
        });
        expect(summary).toMatchObject({
          diffId: digestOf(SMALL),
          size: stored.length,
          complete: true,
          problems: [],
        });
        expect(visitor.entries[1]).toMatchObject({ path: 'etc/hostname', content: 'breakwater\n' });
        expect(visitor.entries).toHaveLength(7);
      }
    }
  });

  it('hashes bytes after the end marker, too', async () => {
    const padded = Buffer.concat([SMALL, Buffer.alloc(8192), Buffer.from('anything')]);
    expect(await read(gzipSync(padded))).toMatchObject({
      diffId: digestOf(padded),
      complete: true,
      problems: [],
    });
  });

  it('accepts an archive without end marker, without the last padding, and an empty one', async () => {
    const unpadded = tarArchive(tarFile('a', 'content')).subarray(0, 512 + 7);
    for (const limit of [0, 100]) {
      expect(await read(unpadded, { visitor: new RecordingVisitor({ limit }) })).toMatchObject({
        complete: true,
        problems: [],
      });
    }
    expect(await read(unpadded.subarray(0, 512 + 6))).toMatchObject({ complete: false });
    const open = SMALL.subarray(0, SMALL.length - 1024);
    expect(await read(open)).toMatchObject({ complete: true, problems: [], entries: 8 });
    expect(await read(tarArchive())).toMatchObject({ complete: true, problems: [], entries: 0 });
    expect(await read(Buffer.alloc(0))).toMatchObject({ complete: true, problems: [], entries: 0, size: 0 });
  });

  it('applies PAX path, linkpath and size, and GNU long names', async () => {
    const long = `${'d'.repeat(120)}/${'f'.repeat(120)}`;
    const { visitor, problems } = await read(
      tarArchive(
        paxHeader({ path: `./${long}`, mtime: '1.5' }),
        tarFile('short', 'one'),
        paxHeader({ linkpath: long }),
        tarHeader({ name: 'link', type: '2', linkName: 'cut' }),
        paxHeader({ size: '5' }),
        tarFile('sized', 'fiver', { size: 0 }),
        gnuLong('L', `gnu/${long}`),
        tarFile('cut', 'two', { magic: 'ustar  \0' }),
        gnuLong('K', long),
        tarHeader({ name: 'hard', type: '1', linkName: 'cut', magic: 'ustar  \0' }),
        paxHeader({ comment: 'from git archive' }, 'g'),
        tarFile('usual', 'three'),
        tarFile('name', 'four', { prefix: 'some/prefix' }),
        tarFile('old', 'five', { magic: '\0\0\0\0\0\0\0\0', prefix: 'not-a-prefix' }),
        tarHeader({ name: 'old-directory/', type: '\0', magic: '\0\0\0\0\0\0\0\0' }),
      ),
    );
    expect(problems).toEqual([]);
    expect(
      visitor.entries.map(({ path, type, linkName, content }) => [path, type, linkName, content]),
    ).toEqual([
      [long, 'file', null, 'one'],
      ['link', 'symlink', long, null],
      ['sized', 'file', null, 'fiver'],
      [`gnu/${long}`, 'file', null, 'two'],
      ['hard', 'hardlink', long, null],
      ['usual', 'file', null, 'three'],
      ['some/prefix/name', 'file', null, 'four'],
      ['old', 'file', null, 'five'],
      ['old-directory', 'directory', null, null],
    ]);
  });

  it('reads sizes in base 256', async () => {
    const sizeField = Buffer.alloc(12);
    sizeField[0] = 0x80;
    sizeField.writeUInt32BE(6, 8);
    const { visitor } = await read(
      tarArchive(tarFile('large', 'base-2', { sizeField }), tarFile('next', '')),
    );
    expect(visitor.entries.map(({ path, content }) => [path, content])).toEqual([
      ['large', 'base-2'],
      ['next', ''],
    ]);
  });

  it('tells whiteouts, opaque directories and reserved names apart', async () => {
    const { visitor, problems } = await read(
      tarArchive(
        tarFile('etc/.wh.passwd', ''),
        tarFile('.wh.top', ''),
        tarFile('var/lib/.wh..wh..opq', ''),
        tarFile('.wh..wh..opq', ''),
        tarFile('.wh..wh.plnk', ''),
        tarFile('not.wh.one', 'x'),
        tarHeader({ name: 'opt/.wh.dir/', type: '5' }),
        tarFile('bad/.wh.', ''),
        tarFile('bad/.wh...', ''),
      ),
    );
    expect(visitor.entries.map(({ path, type, target }) => [path, type, target])).toEqual([
      ['etc/.wh.passwd', 'whiteout', 'etc/passwd'],
      ['.wh.top', 'whiteout', 'top'],
      ['var/lib/.wh..wh..opq', 'opaque', 'var/lib'],
      ['.wh..wh..opq', 'opaque', ''],
      ['.wh..wh.plnk', 'other', null],
      ['not.wh.one', 'file', null],
      ['opt/.wh.dir', 'whiteout', 'opt/dir'],
    ]);
    expect(problems.map(({ code, path }) => [code, path])).toEqual([
      ['OCI_LAYER_PATH_INVALID', 'bad/.wh.'],
      ['OCI_LAYER_PATH_INVALID', 'bad/.wh...'],
    ]);
  });

  it('says when a wanted file is larger than asked for, and goes on', async () => {
    const visitor = new RecordingVisitor({ limit: 10 });
    await read(tarArchive(tarFile('big', 'x'.repeat(11)), tarFile('fits', 'y'.repeat(10))), { visitor });
    expect(visitor.tooLarge).toEqual(['big']);
    expect(visitor.entries[1]?.content).toBe('y'.repeat(10));
  });

  it('gives content in pieces until the visitor has enough', async () => {
    const sizes: number[] = [];
    let ended = 0;
    await readLayer(Readable.from(chunks(tarArchive(tarFile('a', 'z'.repeat(3000))), 1000)), OCI_LAYER, {
      entry: () => ({
        want: 'stream',
        onChunk: (chunk) => sizes.push(chunk.length) < 2,
        onEnd: () => void ended++,
      }),
    });
    expect(sizes).toEqual([488, 1000]);
    expect(ended).toBe(1);
  });

  it('fails with the error of the source, and with what the visitor throws', async () => {
    const mismatch = ociErrors.create('OCI_DIGEST_MISMATCH', { expected: 'a', actual: 'b' });
    const failing = (error: Error): Readable =>
      Readable.from(
        (async function* () {
          yield gzipSync(SMALL);
          throw error;
        })(),
      );
    await expect(readLayer(failing(mismatch), OCI_LAYER, new RecordingVisitor())).rejects.toBe(mismatch);
    await expect(
      readLayer(failing(new Error('EIO')), OCI_LAYER, new RecordingVisitor()),
    ).rejects.toMatchObject({
      code: 'OCI_LAYER_UNREADABLE',
    });
    const thrown = new Error('from the visitor');
    for (const stored of [SMALL, gzipSync(SMALL), zstdCompressSync(SMALL)]) {
      const source = Readable.from([stored]);
      const visitor = {
        entry: () => {
          throw thrown;
        },
      };
      await expect(readLayer(source, OCI_LAYER, visitor)).rejects.toBe(thrown);
      expect(source.destroyed).toBe(true);
    }
  });

  it('stops when it is aborted, before or while reading', async () => {
    const endless = (): Readable => new Readable({ read() {} });
    const options = { signal: AbortSignal.abort() };
    const aborted = { code: 'OCI_ABORTED' };
    await expect(readLayer(endless(), OCI_LAYER, new RecordingVisitor(), options)).rejects.toMatchObject(
      aborted,
    );
    const controller = new AbortController();
    const source = endless();
    const reading = readLayer(source, OCI_LAYER, new RecordingVisitor(), { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(reading).rejects.toMatchObject(aborted);
    expect(source.destroyed).toBe(true);
  });
});

/** One zstd frame per `size` bytes, skippable frames before, between and after. */
function zstdFrames(bytes: Buffer, size: number): Buffer {
  const skippable = Buffer.concat([Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('toc')]);
  const frames: Buffer[] = [skippable];
  for (let start = 0; start < bytes.length; start += size) {
    frames.push(zstdCompressSync(bytes.subarray(start, start + size)), skippable);
  }
  return Buffer.concat(frames);
}
