// Python versions as PEP 440 orders them, with the order of setuptools for versions from before PEP 440.
import type { VersionScheme } from '../types.ts';
import { compareDigits, compareText, isDigit, skipDigits } from './digits.ts';

interface PythonVersion {
  readonly epoch: string;
  /** Release numbers without trailing zeros. */
  readonly release: readonly string[];
  /** `a`, `b` or `rc` with its number; absent for a final, post or development release. */
  readonly pre: { readonly stage: string; readonly serial: string } | undefined;
  readonly post: string | undefined;
  readonly dev: string | undefined;
  readonly local: readonly string[];
}

const SEPARATOR = '[-_.]?';
const PATTERN = new RegExp(
  `^v?(?:(?<epoch>\\d+)!)?(?<release>\\d+(?:\\.\\d+)*)` +
    `(?:${SEPARATOR}(?<stage>alpha|beta|preview|pre|rc|a|b|c)(?:${SEPARATOR}(?<serial>\\d+))?)?` +
    `(?:-(?<implicit>\\d+)|${SEPARATOR}(?<postWord>post|rev|r)(?:${SEPARATOR}(?<post>\\d+))?)?` +
    `(?:${SEPARATOR}(?<devWord>dev)(?:${SEPARATOR}(?<dev>\\d+))?)?` +
    `(?:\\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$`,
);

export const pep440Scheme: VersionScheme = {
  name: 'pep440',
  compare(a, b) {
    if (a === b) return 0;
    const left = parse(a);
    const right = parse(b);
    if (left !== undefined && right !== undefined) return compareParsed(left, right);
    if (left !== undefined) return 1;
    if (right !== undefined) return -1;
    return compareLegacy(a, b);
  },
  valid: (version) => parse(version) !== undefined,
};

function parse(version: string): PythonVersion | undefined {
  const groups = PATTERN.exec(version.trim().toLowerCase())?.groups;
  const release = groups?.['release'];
  if (groups === undefined || release === undefined) return undefined;
  const stage = groups['stage'];
  const postWord = groups['postWord'];
  return {
    epoch: groups['epoch'] ?? '',
    release: withoutTrailingZeros(release.split('.')),
    pre: stage === undefined ? undefined : { stage: canonicalStage(stage), serial: groups['serial'] ?? '' },
    post: groups['implicit'] ?? (postWord === undefined ? undefined : (groups['post'] ?? '')),
    dev: groups['devWord'] === undefined ? undefined : (groups['dev'] ?? ''),
    local: groups['local']?.split(/[-_.]/) ?? [],
  };
}

function canonicalStage(stage: string): string {
  if (stage === 'alpha') return 'a';
  if (stage === 'beta') return 'b';
  return stage === 'c' || stage === 'pre' || stage === 'preview' ? 'rc' : stage;
}

function withoutTrailingZeros(release: string[]): readonly string[] {
  let length = release.length;
  while (length > 0 && /^0*$/.test(release[length - 1] ?? '')) length--;
  return release.slice(0, length);
}

function compareParsed(a: PythonVersion, b: PythonVersion): number {
  return (
    compareDigits(a.epoch, b.epoch) ||
    compareLists(a.release, b.release, compareDigits) ||
    comparePre(a, b) ||
    compareOptional(a.post, b.post, -1) ||
    compareOptional(a.dev, b.dev, 1) ||
    compareLists(a.local, b.local, compareLocal)
  );
}

/** Development releases of a final version come first, then `a`, `b`, `rc`, then the final and its posts. */
function comparePre(a: PythonVersion, b: PythonVersion): number {
  return (
    preRank(a) - preRank(b) ||
    compareText(a.pre?.stage ?? '', b.pre?.stage ?? '') ||
    compareDigits(a.pre?.serial ?? '', b.pre?.serial ?? '')
  );
}

function preRank(version: PythonVersion): number {
  if (version.pre !== undefined) return 1;
  return version.post === undefined && version.dev !== undefined ? 0 : 2;
}

/** Compares numbers of which either may be absent; `absent` is how absence compares with any number. */
function compareOptional(a: string | undefined, b: string | undefined, absent: 1 | -1): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? absent : -absent;
  return compareDigits(a, b);
}

function compareLists(
  a: readonly string[],
  b: readonly string[],
  compare: (left: string, right: string) => number,
): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const order = compare(a[index] ?? '', b[index] ?? '');
    if (order !== 0) return order;
  }
  return Math.sign(a.length - b.length);
}

function compareLocal(a: string, b: string): number {
  const leftNumeric = skipDigits(a, 0) === a.length;
  const rightNumeric = skipDigits(b, 0) === b.length;
  if (leftNumeric && rightNumeric) return compareDigits(a, b);
  if (leftNumeric !== rightNumeric) return leftNumeric ? 1 : -1;
  return compareText(a, b);
}

function compareLegacy(a: string, b: string): number {
  return (
    compareLists(legacyParts(a), legacyParts(b), compareLegacyPart) ||
    // Different spellings of the same parts still need a fixed order.
    compareText(a.trim().toLowerCase(), b.trim().toLowerCase())
  );
}

/** Runs of digits, runs of letters and hyphens; words are marked `*`, and `*final` closes the version. */
function legacyParts(version: string): readonly string[] {
  const parts: string[] = [];
  for (const raw of version
    .trim()
    .toLowerCase()
    .match(/\d+|[a-z]+|-|[^\da-z.-]+/g) ?? []) {
    appendLegacy(parts, legacyPart(raw));
  }
  appendLegacy(parts, '*final');
  return parts;
}

function legacyPart(raw: string): string {
  if (isDigit(raw.charCodeAt(0))) return raw;
  if (raw === 'pre' || raw === 'preview' || raw === 'rc') return '*c';
  if (raw === '-') return '*final-';
  return raw === 'dev' ? '*@' : `*${raw}`;
}

function appendLegacy(parts: string[], part: string): void {
  if (part.startsWith('*')) {
    if (part < '*final') while (parts.at(-1) === '*final-') parts.pop();
    while (/^0+$/.test(parts.at(-1) ?? '')) parts.pop();
  }
  parts.push(part);
}

function compareLegacyPart(a: string, b: string): number {
  const leftWord = a.startsWith('*');
  const rightWord = b.startsWith('*');
  if (leftWord !== rightWord) return leftWord ? -1 : 1;
  return leftWord ? compareText(a, b) : compareDigits(a, b);
}
