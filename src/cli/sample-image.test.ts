// The sample image: always the same bytes, readable by the layer reader and the catalogers.
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { starterAdvisories } from '../advisories/index.ts';
import { type Clock, systemClock } from '../core/index.ts';
import { type Descriptor, type Digest, type ImageSource, parseDigest } from '../oci/index.ts';
import { memoryLayerCache, scanImage } from '../scan/index.ts';
import { buildSampleImage } from './sample-image.ts';

const clock: Clock = systemClock;

function digest(text: string): Digest {
  const parsed = parseDigest(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

describe('sample image', () => {
  it('is the same each time', () => {
    expect(buildSampleImage().digest).toBe(buildSampleImage().digest);
  });

  it('has findings of each kind with the starter advisories alone', async () => {
    const image = buildSampleImage();
    const blobs = new Map([...image.layers, image.config].map((blob) => [blob.digest, blob.bytes]));
    const source: ImageSource = {
      target: 'sample',
      root: () =>
        Promise.resolve({ digest: digest(image.digest), mediaType: image.mediaType, bytes: image.manifest }),
      manifest: () => Promise.reject(new Error('there is one manifest only')),
      blob: (descriptor: Descriptor) => {
        const bytes = blobs.get(descriptor.digest);
        return bytes ? Promise.resolve(Readable.from([bytes])) : Promise.reject(new Error('no such blob'));
      },
      close: () => Promise.resolve(),
    };
    const [report] = await scanImage(source, {
      advisories: starterAdvisories(),
      cache: memoryLayerCache(),
      clock,
    });
    expect(report?.problems).toEqual([]);
    expect(new Set(report?.packages.map((item) => item.kind))).toEqual(new Set(['dpkg', 'npm', 'pypi']));
    const found = new Set(report?.findings.map((finding) => finding.kind));
    expect(found).toEqual(new Set(['dpkg', 'npm', 'pypi']));
    expect(report?.findings.some((finding) => finding.exploited)).toBe(true);
  });
});
