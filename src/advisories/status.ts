// What `advisories status` and `advisories lookup` tell of an advisory file.
import type { Clock } from '../core/index.ts';
import { normalizePackageName } from './package-name.ts';
import type { Advisory, AdvisoryFile, AdvisoryFileInfo, AffectedPackage } from './types.ts';

export interface AdvisoryStatus extends AdvisoryFileInfo {
  /** Since the file was built, in hours; never negative. */
  readonly ageHours: number;
  /** Is the file older than `maxAgeHours`? Always false without one. */
  readonly tooOld: boolean;
  readonly ecosystems: readonly string[];
}

/** The file's facts with its age at the clock's time. */
export function advisoryStatus(file: AdvisoryFile, clock: Clock, maxAgeHours?: number): AdvisoryStatus {
  const ageHours = Math.max(0, clock.now() - Date.parse(file.info.builtAt)) / 3_600_000;
  const tooOld = maxAgeHours !== undefined && ageHours > maxAgeHours;
  return { ...file.info, ageHours, tooOld, ecosystems: file.ecosystems() };
}

export type AdvisoryLookup =
  /** The record of that id, then those that name it as an alias. */
  | { readonly kind: 'advisories'; readonly advisories: readonly Advisory[] }
  | {
      readonly kind: 'package';
      readonly ecosystem: string;
      readonly name: string;
      readonly statements: readonly { readonly affected: AffectedPackage; readonly advisory: Advisory }[];
    }
  | { readonly kind: 'nothing' };

/**
 * Finds what a person asks for: an advisory id or alias (`GHSA-…`, `CVE-2024-3094`, in any case), or `ecosystem/name`
 * (`npm/lodash`, `Debian:12/openssl`, `Go/golang.org/x/net`).
 */
export function lookupAdvisories(file: AdvisoryFile, question: string): AdvisoryLookup {
  const asked = question.trim();
  for (const id of spellings(asked)) {
    const advisories = [id, ...file.aliasedBy(id)].flatMap((found) => file.advisory(found) ?? []);
    if (advisories.length > 0) return { kind: 'advisories', advisories };
  }
  return lookupPackage(file, asked);
}

function lookupPackage(file: AdvisoryFile, asked: string): AdvisoryLookup {
  const slash = asked.indexOf('/');
  const wanted = asked.slice(0, Math.max(0, slash)).toLowerCase();
  const ecosystem = file.ecosystems().find((known) => known.toLowerCase() === wanted);
  if (ecosystem === undefined) return { kind: 'nothing' };
  const name = normalizePackageName(ecosystem, asked.slice(slash + 1));
  const statements = file.lookup(ecosystem, name).flatMap((affected) => {
    const advisory = file.advisory(affected.advisory);
    return advisory === undefined ? [] : [{ affected, advisory }];
  });
  return { kind: 'package', ecosystem, name, statements };
}

function spellings(asked: string): readonly string[] {
  if (/^ghsa-/i.test(asked)) return [`GHSA-${asked.slice(5).toLowerCase()}`];
  return [...new Set([asked, asked.toUpperCase()])];
}
