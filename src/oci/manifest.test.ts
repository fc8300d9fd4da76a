// Manifests, indexes and image configurations: what is read, what is refused, and that nothing else can happen.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BreakwaterError } from '../core/index.ts';
import {
  classifyLayerType,
  DOCKER_CONFIG,
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  digestOf,
  isContainerImage,
  OCI_EMPTY,
  OCI_IMAGE_CONFIG,
  OCI_IMAGE_INDEX,
  OCI_IMAGE_MANIFEST,
  OCI_LAYER_ZSTD,
  parseImageConfig,
  parseManifest,
  referencedDescriptors,
} from './index.ts';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const descriptor = (mediaType: string, more: object = {}): object => ({
  mediaType,
  digest: digestOf(mediaType),
  size: 7,
  ...more,
});
const IMAGE = {
  schemaVersion: 2,
  mediaType: OCI_IMAGE_MANIFEST,
  config: descriptor(OCI_IMAGE_CONFIG),
  layers: [descriptor(OCI_LAYER_ZSTD, { annotations: { __proto__x: 'y' } })],
};
const refusal = (bytes: Buffer, contentType?: string): string => {
  try {
    parseManifest(bytes, contentType);
  } catch (error) {
    if (error instanceof BreakwaterError) return error.code;
    throw error;
  }
  return 'accepted';
};

describe('parseManifest', () => {
  it('reads an image manifest with everything in it', () => {
    const subject = descriptor(OCI_IMAGE_MANIFEST);
    const full = { ...IMAGE, subject, artifactType: 'application/x', annotations: { a: 'b' }, unknown: [1] };
    const manifest = parseManifest(json(full), `${OCI_IMAGE_MANIFEST}; charset=utf-8`);
    const { schemaVersion, unknown, ...known } = full;
    expect([schemaVersion, unknown]).toEqual([2, [1]]);
    expect(manifest).toEqual({ kind: 'image', ...known });
    expect(referencedDescriptors(manifest)).toHaveLength(2);
  });

  it('reads Docker manifests, lists and OCI indexes', () => {
    const docker = {
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: descriptor(DOCKER_CONFIG),
      layers: [],
    };
    const image = parseManifest(json(docker));
    expect(image).toMatchObject({ kind: 'image', mediaType: DOCKER_MANIFEST });
    expect(image.kind === 'image' && isContainerImage(image)).toBe(true);
    const platform = { os: 'linux', architecture: 'arm', variant: 'v7', 'os.version': '1', features: ['x'] };
    const list = {
      schemaVersion: 2,
      manifests: [descriptor(DOCKER_MANIFEST, { platform, urls: ['https://x'] })],
    };
    const { features: _features, ...kept } = platform;
    expect(parseManifest(json(list), DOCKER_MANIFEST_LIST)).toMatchObject({
      kind: 'index',
      manifests: [{ platform: kept, urls: ['https://x'] }],
    });
    expect(parseManifest(json(list))).toMatchObject({ kind: 'index', mediaType: OCI_IMAGE_INDEX });
    expect(parseManifest(json({ ...list, manifests: null }))).toMatchObject({ manifests: [] });
  });

  it('accepts artifacts of any config and layer type', () => {
    const artifact = { ...IMAGE, config: descriptor(OCI_EMPTY), artifactType: 'application/vnd.x.sbom' };
    const manifest = parseManifest(json({ ...artifact, layers: [descriptor('text/spdx+json')] }));
    expect(manifest).toMatchObject({ kind: 'image', artifactType: 'application/vnd.x.sbom' });
    expect(manifest.kind === 'image' && isContainerImage(manifest)).toBe(false);
  });

  it.each([
    ['not JSON', Buffer.from('{'), undefined],
    ['not an object', Buffer.from('[]'), undefined],
    ['not UTF-8', Buffer.from('{"schemaVersion":2,"x":"\xff"}', 'latin1'), undefined],
    ['a byte order mark', Buffer.concat([Buffer.from('\ufeff'), json(IMAGE)]), undefined],
    ['no schema version', json({ ...IMAGE, schemaVersion: '2' }), undefined],
    ['another type than sent', json(IMAGE), DOCKER_MANIFEST],
    ['a media type that is no string', json({ ...IMAGE, mediaType: 5 }), undefined],
    ['no config', json({ ...IMAGE, config: undefined }), undefined],
    ['no layers', json({ ...IMAGE, layers: undefined }), undefined],
    ['layers that are no list', json({ ...IMAGE, layers: {} }), undefined],
    ['a wrong digest', json({ ...IMAGE, config: { ...IMAGE.config, digest: 'sha256:1' } }), undefined],
    ['a negative size', json({ ...IMAGE, config: { ...IMAGE.config, size: -1 } }), undefined],
    ['a fractional size', json({ ...IMAGE, config: { ...IMAGE.config, size: 1.5 } }), undefined],
    [
      'a media type with a line break',
      json({ ...IMAGE, config: { ...IMAGE.config, mediaType: 'a/b\r\nX: y' } }),
      undefined,
    ],
    ['annotations that are no strings', json({ ...IMAGE, annotations: { a: 1 } }), undefined],
    ['a subject that is no descriptor', json({ ...IMAGE, subject: 'x' }), undefined],
    ['both layers and manifests', json({ ...IMAGE, manifests: [] }), undefined],
    ['keys that differ in case only', json({ ...IMAGE, Layers: [] }), undefined],
    ['an index with layers', json({ schemaVersion: 2, manifests: [], layers: [] }), OCI_IMAGE_INDEX],
    ['an index without manifests', json({ schemaVersion: 2 }), OCI_IMAGE_INDEX],
    [
      '10,000 layers',
      json({ ...IMAGE, layers: Array.from({ length: 10_000 }, () => IMAGE.config) }),
      undefined,
    ],
    [
      'deep nesting',
      Buffer.from(`{"schemaVersion":2,"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
      undefined,
    ],
  ])('refuses %s', (_name, bytes, contentType) => {
    expect(refusal(bytes, contentType)).toBe('OCI_MANIFEST_INVALID');
  });

  it('refuses what is too large, of schema 1 or of an unknown type with codes of their own', () => {
    expect(refusal(json({ ...IMAGE, annotations: { a: 'x'.repeat(4 << 20) } }))).toBe(
      'OCI_MANIFEST_TOO_LARGE',
    );
    expect(refusal(json({ ...IMAGE, annotations: { a: 'x'.repeat(3 << 20) } }))).toBe('accepted');
    expect(refusal(json({ schemaVersion: 1, name: 'x', fsLayers: [] }))).toBe('OCI_MANIFEST_SCHEMA1');
    const signed = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    expect(refusal(json({ schemaVersion: 2 }), signed)).toBe('OCI_MANIFEST_SCHEMA1');
    expect(refusal(json({ schemaVersion: 2 }), 'application/x-other')).toBe('OCI_MANIFEST_MEDIA_TYPE');
  });

  it('keeps a key named __proto__ as data', () => {
    const text = JSON.stringify(IMAGE).replace('__proto__x', '__proto__');
    const manifest = parseManifest(Buffer.from(text));
    expect(JSON.stringify(manifest)).toContain('"__proto__":"y"');
  });

  it('answers any JSON and any changed manifest with a manifest or a coded error', () => {
    const safe = (bytes: Buffer): void => void refusal(bytes);
    fc.assert(fc.property(fc.json(), (text) => safe(Buffer.from(text))));
    const key = fc.constantFrom(
      'config',
      'layers',
      'manifests',
      'subject',
      'annotations',
      'mediaType',
      'artifactType',
    );
    fc.assert(fc.property(key, fc.jsonValue(), (name, value) => safe(json({ ...IMAGE, [name]: value }))));
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const bytes = json(IMAGE);
        bytes[at % bytes.length] = byte;
        safe(bytes);
      }),
      { numRuns: 300 },
    );
  });
});

describe('parseImageConfig', () => {
  it('reads what matters', () => {
    const diffId = digestOf('x');
    const config = {
      architecture: 'arm64',
      os: 'linux',
      variant: 'v8',
      created: '2026-01-01T00:00:00Z',
      rootfs: { type: 'layers', diff_ids: [diffId] },
      history: [
        { created_by: 'RUN x', comment: 'c' },
        { created_by: 'ENV y', empty_layer: true },
      ],
      config: { Env: ['A=b'] },
    };
    expect(parseImageConfig(json(config))).toEqual({
      architecture: 'arm64',
      os: 'linux',
      variant: 'v8',
      created: '2026-01-01T00:00:00Z',
      diffIds: [diffId],
      history: [
        { createdBy: 'RUN x', comment: 'c', emptyLayer: false },
        { createdBy: 'ENV y', emptyLayer: true },
      ],
    });
  });

  it('answers everything else with OCI_CONFIG_INVALID', () => {
    const code = (bytes: Buffer): string => {
      try {
        parseImageConfig(bytes);
      } catch (error) {
        if (error instanceof BreakwaterError) return error.code;
        throw error;
      }
      return 'accepted';
    };
    for (const bad of [
      {},
      { rootfs: {}, history: 5 },
      { rootfs: { diff_ids: ['x'] } },
      { rootfs: { diff_ids: 'x' } },
    ]) {
      expect(code(json(bad))).toBe('OCI_CONFIG_INVALID');
    }
    expect(code(Buffer.alloc(5 << 20, 0x20))).toBe('OCI_CONFIG_INVALID');
    fc.assert(fc.property(fc.json(), (text) => void code(Buffer.from(text))));
    fc.assert(fc.property(fc.jsonValue(), (history) => void code(json({ rootfs: {}, history }))));
  });
});

describe('classifyLayerType', () => {
  it('tells compression, distribution and encryption', () => {
    const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    const encrypted = 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted';
    expect(classifyLayerType(DOCKER_LAYER_GZIP)).toEqual({
      compression: 'gzip',
      nondistributable: false,
      encrypted: false,
    });
    expect(classifyLayerType(OCI_LAYER_ZSTD)).toMatchObject({ compression: 'zstd' });
    expect(classifyLayerType('application/vnd.oci.image.layer.v1.tar')).toMatchObject({
      compression: 'none',
    });
    expect(classifyLayerType(foreign)).toMatchObject({ compression: 'gzip', nondistributable: true });
    expect(classifyLayerType(encrypted)).toMatchObject({ compression: 'gzip', encrypted: true });
    expect(classifyLayerType('application/vnd.oci.image.layer.v1.tar+brotli')).toMatchObject({
      compression: 'unknown',
    });
    expect(classifyLayerType('application/vnd.cncf.helm.chart.content.v1.tar+gzip')).toBeUndefined();
    expect(classifyLayerType('application/vnd.oci.image.layer.v1.tarball')).toBeUndefined();
  });
});
