// An exemption: which findings somebody took on, why, who, until when; and whether it covers a finding.
import { z } from 'zod';
import type { Finding } from '../types.ts';
import { matchesPackage } from '../sbom/package-url-reader.ts';
import { matchesGlob } from './glob.ts';

const MAX_TEXT = 1_000;

/** A name, an id or a pattern: one line. */
const text = z
  .string()
  .min(1)
  .max(MAX_TEXT)
  .regex(/^[^\p{Cc}]+$/u, 'has control characters');

const day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'is not a date like 2027-01-31')
  .refine((value) => isDay(value), 'is not a day of the calendar');

/** The members of an exemption as people write them; unknown ones are refused. */
export const exemptionSchema = z.strictObject({
  vulnerability: text.exactOptional().describe('Id or alias, e.g. CVE-2024-5535'),
  package: text.exactOptional().describe('Name, source package or package URL, with or without version'),
  version: text.exactOptional().describe('Installed version, exactly'),
  image: text.exactOptional().describe('Pattern of image references, repositories or digests'),
  path: text.exactOptional().describe('Pattern of the file that the package was read from'),
  reason: text,
  owner: text.describe('Who answers for it: a person or a team'),
  expires: day.describe('Last day it holds (UTC)'),
});

/** What an exemption says. */
export type ExemptionRule = z.infer<typeof exemptionSchema>;

/** An exemption and where it is written: a file with its line, or its id on the server. */
export interface Exemption extends ExemptionRule {
  readonly source: string;
}

/** What a finding is looked at with: the names its image goes by, and the source package where there is one. */
export interface ExemptionSubject {
  /** References, repositories and digests. */
  readonly images: readonly string[];
  readonly sourcePackage: string | null;
}

/** Which rule of an exemption is missing, in words; null when it names something to exempt. */
export function exemptionScopeProblem(rule: ExemptionRule): string | null {
  if ((rule.vulnerability ?? rule.package ?? rule.path) !== undefined) return null;
  return 'it names no vulnerability, package or path, so it would exempt everything';
}

/** Has the last day passed? `now` in milliseconds since the epoch. */
export function isExpired(rule: Pick<ExemptionRule, 'expires'>, now: number): boolean {
  return now >= Date.parse(`${rule.expires}T00:00:00Z`) + DAY_MS;
}

const DAY_MS = 86_400_000;

/** Does the exemption cover the finding, whether or not it has expired? Every member it has must fit. */
export function covers(rule: ExemptionRule, finding: Finding, subject: ExemptionSubject): boolean {
  const { vulnerability, version, image, path } = rule;
  if (vulnerability !== undefined && !namesFlaw(vulnerability, finding)) return false;
  if (rule.package !== undefined && !namesPackage(rule.package, finding, subject)) return false;
  if (version !== undefined && version !== finding.installed) return false;
  if (image !== undefined && !subject.images.some((name) => matchesGlob(image, name))) return false;
  return path === undefined || matchesGlob(path.replace(/^\/+/, ''), finding.path);
}

function namesFlaw(wanted: string, finding: Finding): boolean {
  const id = wanted.toUpperCase();
  return [finding.id, finding.advisory, ...finding.aliases].some((name) => name.toUpperCase() === id);
}

function namesPackage(wanted: string, finding: Finding, { sourcePackage }: ExemptionSubject): boolean {
  if (wanted.startsWith('pkg:')) return matchesPackage(wanted, finding.purl, sourcePackage);
  return wanted === finding.package || wanted === sourcePackage;
}

function isDay(value: string): boolean {
  const date = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value);
}
