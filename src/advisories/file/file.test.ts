// The advisory file: what is written is read back, and no damage or hostility gives anything but a coded error.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdvisoryCollector } from '../collector.ts';
import { advisoryErrors } from '../errors.ts';
import type { AdvisoryFile } from '../types.ts';
import { MAGIC, sha256, TRAILER_BYTES } from './format.ts';
import { openAdvisoryFile } from './read.ts';
import { writeAdvisoryFile } from './write.ts';

const INFO = {
  builtAt: '2026-11-24T00:00:00.000Z',
  sources: [{ name: 's', records: 1, rejected: 0, newest: null }],
};
const PACKAGES = 300;

let folder: string;
let path: string;
let good: Buffer;

function osv(id: string, names: readonly string[], fixed: string): unknown {
  const affected = names.map((name) => ({
    package: { ecosystem: 'npm', name },
    ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }],
  }));
  // Hardly compressible text, so that the file has many blocks.
  const details = sha256(Buffer.from(id)).toString('hex').repeat(3);
  return {
    id,
    modified: '2024-01-01T00:00:00Z',
    aliases: [`CVE-2024-${10_000 + id.length}`],
    details,
    affected,
  };
}

function sample(): AdvisoryCollector {
  const collector = new AdvisoryCollector();
  for (let index = 0; index < PACKAGES; index++)
    collector.add(osv(`GHSA-${index}`, [`package-${index}`], `1.${index}.0`), 's');
  // One package whose statements run over several blocks.
  for (let index = 0; index < 1_500; index++)
    collector.add(osv(`LINUX-${index}`, ['linux'], `6.1.${index}`), 's');
  return collector;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-advisories-'));
  path = join(folder, 'good.advisories');
  await writeAdvisoryFile(sample(), path, INFO);
  good = readFileSync(path);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Everything that an undamaged file answers to a fixed set of questions. */
function answers(file: AdvisoryFile): string {
  return JSON.stringify([
    file.info,
    file.ecosystems(),
    ['package-0', 'package-150', 'package-299', 'linux', 'absent', ''].map((name) =>
      file.lookup('npm', name),
    ),
    ['GHSA-0', 'GHSA-299', 'LINUX-750', 'absent', ''].map((id) => [file.advisory(id), file.aliasedBy(id)]),
    file.aliasedBy('CVE-2024-10006').length,
  ]);
}

/** The answers of a file with these bytes, or the code of the error it gives. */
function ask(bytes: Buffer): string {
  const damaged = join(folder, 'damaged.advisories');
  writeFileSync(damaged, bytes);
  let file: AdvisoryFile | undefined;
  try {
    file = openAdvisoryFile(damaged);
    return answers(file);
  } catch (error) {
    if (!advisoryErrors.is(error)) throw error;
    return error.code;
  } finally {
    file?.close();
  }
}

describe('a written file', () => {
  it('gives back every statement, fact, text and alias', () => {
    const file = openAdvisoryFile(path);
    expect(file.info).toMatchObject({
      kind: 'file',
      advisories: PACKAGES + 1_500,
      packages: PACKAGES + 1,
      ...INFO,
    });
    for (let index = 0; index < PACKAGES; index++) {
      const [statement, ...more] = file.lookup('npm', `package-${index}`);
      expect(more).toEqual([]);
      expect(statement).toEqual({
        advisory: `GHSA-${index}`,
        ecosystem: 'npm',
        name: `package-${index}`,
        ranges: [{ introduced: '0', fixed: `1.${index}.0` }],
        versions: [],
      });
      expect(file.advisory(`GHSA-${index}`)?.details).toHaveLength(192);
    }
    expect(new Set(file.lookup('npm', 'linux').map(({ advisory }) => advisory)).size).toBe(1_500);
    expect(file.aliasedBy('CVE-2024-10006')).toContain('GHSA-0');
    expect(file.lookup('npm', 'package-')).toEqual([]);
    expect(file.lookup('PyPI', 'package-1')).toEqual([]);
    expect(file.facts('GHSA-none')).toBeUndefined();
    file.close();
  });

  it('is the same bytes for the same input, and its identity is in the trailer', async () => {
    const other = join(folder, 'other.advisories');
    const { digest } = await writeAdvisoryFile(sample(), other, INFO);
    expect(readFileSync(other).equals(good)).toBe(true);
    const file = openAdvisoryFile(other);
    expect(file.info.digest).toBe(digest);
    file.close();
  });

  it('keeps any statement exactly', async () => {
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .filter((value) => value.trim() === value && !/\p{Cc}/u.test(value));
    const statement = fc.record({
      id: text,
      name: text,
      fixed: text,
      versions: fc.array(text, { maxLength: 3 }),
      urgency: text,
    });
    const target = join(folder, 'any.advisories');
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(statement, {
          minLength: 1,
          maxLength: 12,
          selector: (entry) => entry.id.toUpperCase(),
        }),
        async (entries) => {
          const collector = new AdvisoryCollector();
          for (const { id, name, fixed, versions, urgency } of entries) {
            const ranges = [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }];
            const identity = { ecosystem: 'RubyGems', name };
            collector.add(
              { id, affected: [{ package: identity, ranges, versions, ecosystem_specific: { urgency } }] },
              's',
            );
          }
          await writeAdvisoryFile(collector, target, INFO);
          const file = openAdvisoryFile(target);
          for (const { id, name, fixed, versions, urgency } of entries) {
            const found = file
              .lookup('RubyGems', name)
              .find(
                ({ urgency: word, versions: list, ranges }) =>
                  word === urgency &&
                  JSON.stringify(list) === JSON.stringify(versions) &&
                  (fixed === '0' || ranges[0]?.fixed === fixed),
              );
            if (fixed !== '0' || versions.length > 0) expect(found, `${id} ${name}`).toBeDefined();
          }
          file.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('answers no more once closed', () => {
    const file = openAdvisoryFile(path);
    file.close();
    file.close();
    expect(() => file.lookup('npm', 'package-1')).toThrow(
      expect.objectContaining({ code: 'ADVISORIES_FILE_CLOSED' }),
    );
  });
});

describe('damage', () => {
  it('gives right answers or a coded error for a flipped bit anywhere', () => {
    const right = ask(good);
    const position = fc.oneof(
      fc.nat(good.length - 1),
      fc.nat(4_000).map((back) => good.length - 1 - back),
      fc.nat(15),
    );
    fc.assert(
      fc.property(position, fc.nat(7), (at, bit) => {
        const bytes = Buffer.from(good);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        const answer = ask(bytes);
        expect(answer === right || answer.startsWith('ADVISORIES_FILE_')).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('is noticed when the file is cut short anywhere', () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), (length) => {
        expect(ask(good.subarray(0, length))).toMatch(/^ADVISORIES_FILE_/);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['an empty file', Buffer.alloc(0)],
    ['text', Buffer.from('not an advisory file\n'.repeat(20))],
    ['another version', Buffer.concat([Buffer.from('breakwater-adv9\n'), Buffer.alloc(500)])],
  ])('is not recognised: %s', (_what, bytes) => {
    expect(ask(bytes)).toBe('ADVISORIES_FILE_NOT_RECOGNISED');
  });

  it('names a missing file and a directory', () => {
    expect(() => openAdvisoryFile(join(folder, 'absent'))).toThrow(
      expect.objectContaining({ code: 'ADVISORIES_FILE_UNREADABLE' }),
    );
    expect(() => openAdvisoryFile(folder)).toThrow(
      expect.objectContaining({ code: 'ADVISORIES_FILE_NOT_RECOGNISED' }),
    );
  });
});

describe('hostile files with right hashes', () => {
  /** Rewrites the end of the good file and hashes it again. */
  function forged(change: (index: Buffer, info: Buffer) => readonly [Buffer, Buffer]): Buffer {
    const trailer = good.subarray(good.length - TRAILER_BYTES);
    const offset = Number(trailer.readBigUInt64LE(0));
    const infoStart = offset + trailer.readUInt32LE(8);
    const parts = [
      good.subarray(offset, infoStart),
      good.subarray(infoStart, good.length - TRAILER_BYTES),
    ] as const;
    const [index, info] = change(Buffer.from(parts[0]), Buffer.from(parts[1]));
    const lengths = Buffer.from(trailer.subarray(0, 16));
    lengths.writeUInt32LE(index.length, 8);
    lengths.writeUInt32LE(info.length, 12);
    return Buffer.concat([
      good.subarray(0, offset),
      index,
      info,
      lengths,
      sha256(lengths, index, info),
      MAGIC,
    ]);
  }

  it('opens when nothing was changed (the forger works)', () => {
    expect(ask(forged((index, info) => [index, info]))).toBe(ask(good));
  });

  it('gives an answer or a coded error for any change of the index', () => {
    fc.assert(
      fc.property(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 12 }), (seed, bytes) => {
        const answer = ask(
          forged((index, info) => {
            index.set(bytes, seed % (index.length - bytes.length));
            return [index, info];
          }),
        );
        expect(typeof answer).toBe('string');
      }),
      { numRuns: 120 },
    );
  });

  it.each(['', '[]', '{}', 'null', '{"builtAt":"x"}', '{"builtAt":"2026-01-01T00:00:00Z","advisories":-1}'])(
    'gives a coded error for the info %j',
    (text) => {
      expect(ask(forged((index) => [index, Buffer.from(text)]))).toBe('ADVISORIES_FILE_CORRUPT');
    },
  );
});
