// readLayer on damaged and hostile layers: a problem with a code, never an exception, a hang or unbounded memory.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BreakwaterError } from '../../core/index.ts';
import { digestOf, OCI_LAYER_GZIP, readLayer, type LayerLimits, type LayerSummary } from '../index.ts';
import { RecordingVisitor } from '../testing/recording-visitor.ts';
import { gnuLong, paxHeader, tarArchive, tarFile, tarHeader } from '../testing/tar-writer.ts';

async function read(
  bytes: Buffer | Iterable<Buffer>,
  limits: Partial<LayerLimits> = {},
  visitor = new RecordingVisitor(),
): Promise<LayerSummary & { codes: string[]; paths: string[] }> {
  const source = Readable.from(Buffer.isBuffer(bytes) ? [bytes] : bytes);
  const summary = await readLayer(source, OCI_LAYER_GZIP, visitor, { limits });
  return { ...summary, codes: summary.problems.map(({ code }) => code), paths: visitor.paths() };
}

const GOOD = tarFile('good', 'good');

describe('damaged layers', () => {
  it('reports compressed data that ends early, keeping what came before', async () => {
    // Noise does not compress, so that only the end of it is cut off.
    const noise = createHash('shake256', { outputLength: 400_000 }).digest();
    const archive = tarArchive(GOOD, tarFile('noise', noise));
    for (const stored of [gzipSync(archive), zstdCompressSync(archive)]) {
      const result = await read(stored.subarray(0, stored.length - 20_000));
      expect(result).toMatchObject({ diffId: null, complete: false, size: stored.length - 20_000 });
      expect(result.codes).toEqual(['OCI_LAYER_COMPRESSION_DAMAGED']);
      expect(result.paths).toContain('good');
    }
  });

  it('reports flipped bits in compressed data', async () => {
    const stored = gzipSync(tarArchive(GOOD, tarFile('more', 'x'.repeat(5000))));
    stored.writeUInt32BE(0xffffffff, Math.floor(stored.length / 2));
    expect(await read(stored)).toMatchObject({
      complete: false,
      diffId: null,
      codes: ['OCI_LAYER_COMPRESSION_DAMAGED'],
    });
  });

  it('reports bytes after the compressed data', async () => {
    const archive = tarArchive(GOOD);
    const padded = Buffer.concat([
      gzipSync(archive),
      Buffer.alloc(10),
      gzipSync(tarArchive(tarFile('hidden', ''))),
    ]);
    const result = await read(padded);
    expect(result).toMatchObject({
      complete: true,
      diffId: digestOf(archive),
      codes: ['OCI_LAYER_TRAILING_DATA'],
    });
    expect(result.paths).toEqual(['good']);
    const garbage = Buffer.concat([zstdCompressSync(archive), Buffer.from('garbage')]);
    expect(await read(garbage)).toMatchObject({ complete: false, codes: ['OCI_LAYER_COMPRESSION_DAMAGED'] });
  });

  it('reports an archive that ends within content, a header or an extension', async () => {
    const archive = tarArchive(GOOD, tarFile('last', 'x'.repeat(2000)));
    for (const cut of [1024 + 100, 1024 + 512 + 700]) {
      const bytes = archive.subarray(0, cut);
      expect(await read(bytes)).toMatchObject({
        complete: false,
        diffId: digestOf(bytes),
        codes: ['OCI_LAYER_TRUNCATED'],
      });
    }
    const pending = Buffer.concat([GOOD, paxHeader({ path: 'never' })]);
    expect(await read(pending)).toMatchObject({
      complete: false,
      codes: ['OCI_LAYER_TRUNCATED'],
      paths: ['good'],
    });
    expect(await read(tarArchive(GOOD, gnuLong('L', 'never')))).toMatchObject({
      codes: ['OCI_LAYER_TRUNCATED'],
    });
  });

  it('reports an entry of 8 GB and more in a small layer', async () => {
    const sizeField = Buffer.alloc(12);
    sizeField[0] = 0x80;
    sizeField.writeUIntBE(9 * 2 ** 30, 6, 6);
    const result = await read(tarArchive(GOOD, tarHeader({ name: 'huge', sizeField })));
    expect(result).toMatchObject({ complete: false, paths: ['good', 'huge'] });
    expect(result.problems).toEqual([
      { code: 'OCI_LAYER_TRUNCATED', message: 'the archive ends within an entry', path: 'huge' },
    ]);
    const octal = tarHeader({ name: 'huge', sizeField: Buffer.from('77777777777\0') });
    expect(await read(tarArchive(octal))).toMatchObject({ codes: ['OCI_LAYER_TRUNCATED'] });
  });

  it('stops at headers with a wrong checksum or an impossible size', async () => {
    const negative = Buffer.alloc(12, 0xff);
    const beyond = Buffer.concat([Buffer.from([0xbf]), Buffer.alloc(11, 0xff)]);
    for (const bad of [
      tarHeader({ name: 'bad', damagedChecksum: true }),
      tarHeader({ name: 'bad', sizeField: negative }),
      tarHeader({ name: 'bad', sizeField: beyond }),
      tarHeader({ name: 'bad', sizeField: Buffer.from('12x45670000\0') }),
      paxHeader({ size: '-5' }),
      tarFile('pax', '99 path=x\n', { type: 'x' }),
      tarFile('pax', 'no length\n', { type: 'x' }),
      tarFile('pax', '8 nokey\n', { type: 'x' }),
    ]) {
      const archive = tarArchive(GOOD, bad, tarFile('after', ''));
      const result = await read(archive);
      expect(result).toMatchObject({
        complete: false,
        diffId: digestOf(archive),
        codes: ['OCI_LAYER_HEADER_DAMAGED'],
      });
      expect(result.paths).toEqual(['good']);
    }
    const lone = Buffer.concat([GOOD, Buffer.alloc(512), tarFile('after', '')]);
    expect(await read(lone)).toMatchObject({ codes: ['OCI_LAYER_HEADER_DAMAGED'], paths: ['good'] });
  });

  it('reports what is no archive, is encrypted, or compressed in a way runtimes do not know', async () => {
    expect(await read(Buffer.from('{"not":"tar"}'.repeat(100)))).toMatchObject({
      codes: ['OCI_LAYER_NOT_TAR'],
    });
    expect(await read(Buffer.from('x'))).toMatchObject({ complete: false, codes: ['OCI_LAYER_TRUNCATED'] });
    for (const magic of ['BZh91AY', '\xfd7zXZ\0\0']) {
      const result = await read(Buffer.from(magic, 'latin1'));
      expect(result).toMatchObject({
        complete: false,
        diffId: null,
        codes: ['OCI_LAYER_COMPRESSION_UNSUPPORTED'],
      });
    }
    const visitor = new RecordingVisitor();
    const summary = await readLayer(Readable.from([gzipSync(GOOD)]), `${OCI_LAYER_GZIP}+encrypted`, visitor);
    expect(summary).toMatchObject({
      complete: false,
      diffId: null,
      problems: [{ code: 'OCI_LAYER_ENCRYPTED' }],
    });
  });
});

describe('hostile layers', () => {
  it('confines paths and reports the odd ones', async () => {
    const result = await read(
      tarArchive(
        tarFile('/etc/absolute', ''),
        tarFile('/etc/second', ''),
        tarFile('a/../b', ''),
        tarFile('../../etc/passwd', ''),
        tarFile('a/../../c', ''),
        tarFile('..', ''),
        tarFile('a//b/./c', ''),
        tarFile('./', ''),
        paxHeader({ path: 'nul\0byte' }),
        tarFile('x', ''),
        paxHeader({ path: 'p'.repeat(5000) }),
        tarFile('x', ''),
      ),
    );
    expect(result.paths).toEqual(['etc/absolute', 'etc/second', 'b', 'a/b/c']);
    expect(result.problems.map(({ code, path }) => [code, path?.slice(0, 20)])).toEqual([
      ['OCI_LAYER_PATH_ABSOLUTE', '/etc/absolute'],
      ['OCI_LAYER_PATH_PARENT', 'a/../b'],
      ['OCI_LAYER_PATH_ESCAPES', '../../etc/passwd'],
      ['OCI_LAYER_PATH_ESCAPES', 'a/../../c'],
      ['OCI_LAYER_PATH_ESCAPES', '..'],
      ['OCI_LAYER_PATH_INVALID', './'],
      ['OCI_LAYER_PATH_INVALID', 'nul␀byte'],
      ['OCI_LAYER_PATH_INVALID', 'p'.repeat(20)],
    ]);
    expect(result.complete).toBe(true);
  });

  it('reads names that are not UTF-8', async () => {
    const raw = [[0, Buffer.from('etc/\xff\xfename', 'latin1')]] as const;
    expect(await read(tarArchive(tarHeader({ name: '', raw })))).toMatchObject({
      paths: ['etc/\ufffd\ufffdname'],
      problems: [],
    });
  });

  it('says that the content of a sparse file was not read, and goes on after it', async () => {
    const map = Buffer.alloc(512);
    const raw = [
      [482, Buffer.from([1])],
      [483, Buffer.from('00000010000\0')],
    ] as const;
    const gnu = Buffer.concat([tarHeader({ name: 'gnu', type: 'S', size: 3, magic: 'ustar  \0', raw }), map]);
    const result = await read(
      tarArchive(
        Buffer.concat([gnu, Buffer.alloc(512)]),
        paxHeader({ 'GNU.sparse.major': '1', 'GNU.sparse.name': 'pax', 'GNU.sparse.realsize': '4096' }),
        tarFile('GNUSparseFile.0/pax', 'map and data'),
        GOOD,
      ),
    );
    expect(result.paths).toEqual(['gnu', 'pax', 'good']);
    expect(result.codes).toEqual(['OCI_LAYER_SPARSE', 'OCI_LAYER_SPARSE']);
  });

  it('ignores global headers as the runtimes do, and says so', async () => {
    const result = await read(tarArchive(paxHeader({ path: 'renamed' }, 'g'), GOOD));
    expect(result).toMatchObject({ paths: ['good'], codes: ['OCI_LAYER_GLOBAL_HEADER'], complete: true });
  });

  it('stops at extended headers, entries, sizes and ratios beyond the limits', async () => {
    const header = tarHeader({ name: 'pax', type: 'x', size: 2 ** 31 });
    expect(await read(tarArchive(GOOD, header))).toMatchObject({
      complete: false,
      codes: ['OCI_LAYER_HEADER_TOO_LARGE'],
    });
    const many = tarArchive(...Array.from({ length: 20 }, (_, index) => tarHeader({ name: `f${index}` })));
    expect(await read(many, { maxEntries: 10 })).toMatchObject({
      entries: 10,
      codes: ['OCI_LAYER_TOO_MANY_ENTRIES'],
    });

    const bomb = gzipSync(tarArchive(tarFile('zeros', Buffer.alloc(32 << 20))));
    const limited = await read(bomb, { maxUncompressedBytes: 8 << 20 });
    expect(limited).toMatchObject({ complete: false, diffId: null, codes: ['OCI_LAYER_TOO_LARGE'] });
    expect(limited.uncompressedSize).toBeLessThan(10 << 20);
    const ratio = await read(bomb, { ratioFloorBytes: 4 << 20, maxRatio: 100 });
    expect(ratio).toMatchObject({ complete: false, codes: ['OCI_LAYER_RATIO'] });
    expect(ratio.uncompressedSize).toBeLessThan(6 << 20);
    expect(await read(bomb)).toMatchObject({ complete: true, problems: [] });
  });

  it('stops an endless bomb without holding it', async () => {
    const member = gzipSync(Buffer.alloc(16 << 20));
    const endless = (function* (): Generator<Buffer> {
      yield gzipSync(tarHeader({ name: 'zeros', sizeField: Buffer.from('77777777777\0') }));
      for (;;) yield member;
    })();
    const before = process.memoryUsage().rss;
    const result = await read(endless, { maxUncompressedBytes: 512 << 20 });
    expect(result.codes).toEqual(['OCI_LAYER_TOO_LARGE']);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
  });

  it('keeps a bounded number of problems and counts the rest', async () => {
    const members = Array.from({ length: 10_000 }, (_, index) => tarFile(`../${index}`, ''));
    const { problems } = await read(tarArchive(...members));
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toEqual({
      code: 'OCI_LAYER_MORE_PROBLEMS',
      message: '9900 more problems are not listed',
      path: null,
    });
  });
});

describe('arbitrary layers', () => {
  const base = tarArchive(
    paxHeader({ path: 'long/name', size: '4' }),
    tarFile('short', 'four'),
    gnuLong('L', 'gnu/name'),
    tarFile('cut', 'content'),
    tarFile('a/.wh.b', ''),
    tarHeader({ name: 'link', type: '2', linkName: 'target' }),
  );
  const settled = async (bytes: Buffer, chunk: number): Promise<void> => {
    const pieces: Buffer[] = [];
    for (let start = 0; start < bytes.length; start += chunk)
      pieces.push(bytes.subarray(start, start + chunk));
    try {
      const result = await read(pieces, { maxUncompressedBytes: 64 << 20 });
      expect(result.complete || result.problems.length > 0).toBe(true);
      expect(result.paths.every((path) => !path.split('/').includes('..') && !path.startsWith('/'))).toBe(
        true,
      );
    } catch (error) {
      expect(error).toBeInstanceOf(BreakwaterError);
    }
  };
  const chunk = fc.constantFrom(13, 512, 4096);

  it('never escape as exceptions, whatever the bytes', async () => {
    const prefixes = [
      Buffer.alloc(0),
      Buffer.from([0x1f, 0x8b, 8, 0]),
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...prefixes),
        fc.uint8Array({ maxLength: 3000 }),
        chunk,
        (prefix, bytes, size) => settled(Buffer.concat([prefix, bytes]), size),
      ),
      { numRuns: 150 },
    );
  });

  it('never escape as exceptions when a good archive is changed, plain or compressed', async () => {
    const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
    const forms = [base, gzipSync(base), zstdCompressSync(base)];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...forms),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.nat(),
        chunk,
        async (form, changes, cut, size) => {
          const bytes = Buffer.from(form);
          for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
          await settled(cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes, size);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never escape as exceptions when a header field is arbitrary and its checksum right', async () => {
    const field = fc.record({
      at: fc.integer({ min: 0, max: 500 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(field, { maxLength: 4 }),
        fc.constantFrom(...'0123456gxXLKSDVM\0z'),
        chunk,
        (fields, type, size) => {
          const raw = fields.map(({ at, bytes }) => [at, Buffer.from(bytes)] as const);
          return settled(Buffer.concat([tarHeader({ name: 'x', type, raw }), base]), size);
        },
      ),
      { numRuns: 300 },
    );
  });
});
