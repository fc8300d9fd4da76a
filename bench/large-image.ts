// Memory of the scan process on an image of 3 GB: many small files, some large ones, gzip.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { writeOciLayout } from '../test/fixtures/debian-image.ts';
import { tarHeader } from '../test/fixtures/small-image.ts';
import type { Bench } from './bench.ts';
import { runProgram } from './program.ts';

const MiB = 1024 * 1024;
const root = join(import.meta.dirname, '..');

export const largeImageBench: Bench = {
  name: 'large-image',
  title: 'resident memory of a scan of a 3 GB image',
  missing: () => undefined,
  run: async ({ smoke, directory }) => {
    const total = smoke ? 200 * MiB : 3000 * MiB;
    const file = join(directory, 'layer.tar.gz');
    const diff = createHash('sha256');
    await pipeline(
      Readable.from(tarOf(total, diff)),
      createGzip({ level: 1, chunkSize: MiB }),
      createWriteStream(file),
    );
    const compressed = createHash('sha256');
    for await (const chunk of createReadStream(file, { highWaterMark: MiB }) as AsyncIterable<Buffer>)
      compressed.update(chunk);
    const layer = {
      file,
      digest: `sha256:${compressed.digest('hex')}`,
      diffId: `sha256:${diff.digest('hex')}`,
      size: statSync(file).size,
    };
    const layout = join(directory, 'layout');
    writeOciLayout(layout, [layer], ['COPY . /']);
    const scan = await runProgram(process.execPath, [
      join(root, 'bin/breakwater.js'),
      'scan',
      `oci:${layout}:latest`,
      '--cache-dir',
      join(directory, 'cache'),
      '-o',
      'json',
    ]);
    if (!scan.output.includes('"left-pad-0"'))
      throw new Error('the scan did not find the packages of the image');
    return [
      {
        name: 'scan of the image, highest resident memory',
        value: scan.peakMiB,
        unit: 'MiB',
        bar: { max: 300 },
        detail: `${(total / MiB).toFixed(0)} MiB unpacked, ${(scan.cpuSeconds).toFixed(1)} CPU-seconds`,
      },
    ];
  },
};

/** A tar of `total` bytes: 64 MiB files between thousands of small ones and some npm packages. */
function* tarOf(total: number, hash: ReturnType<typeof createHash>): Generator<Buffer> {
  const pattern = Buffer.alloc(MiB);
  for (let i = 0; i < pattern.length; i += 4) pattern.writeUInt32LE((i * 2654435761) >>> (i % 7), i);
  const emit = (chunk: Buffer): Buffer => {
    hash.update(chunk);
    return chunk;
  };
  for (let written = 0, n = 0; written < total; n++) {
    const manifest = Buffer.from(JSON.stringify({ name: `left-pad-${n}`, version: '1.0.0' }));
    yield emit(tarHeader(`app/node_modules/left-pad-${n}/package.json`, manifest.length));
    yield emit(padded(manifest));
    for (let i = 0; i < 500; i++) {
      yield emit(tarHeader(`app/src/${n}/file-${i}.txt`, 1024));
      yield emit(pattern.subarray(i * 1024, i * 1024 + 1024));
    }
    yield emit(tarHeader(`app/data/${n}.bin`, 64 * MiB));
    for (let i = 0; i < 64; i++) yield emit(pattern);
    written += 65 * MiB;
  }
  yield emit(Buffer.alloc(1024));
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
