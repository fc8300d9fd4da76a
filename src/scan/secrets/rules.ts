// The rules of `library/secrets`, checked and compiled once; their version is part of the key of cached layer results.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SEVERITIES } from '../../core/index.ts';
import artificialIntelligence from '../../../library/secrets/artificial-intelligence.json' with {
  type: 'json',
};
import awsGoogle from '../../../library/secrets/aws-google.json' with { type: 'json' };
import azure from '../../../library/secrets/azure.json' with { type: 'json' };
import build from '../../../library/secrets/build.json' with { type: 'json' };
import cloudPlatforms from '../../../library/secrets/cloud-platforms.json' with { type: 'json' };
import databases from '../../../library/secrets/databases.json' with { type: 'json' };
import infrastructure from '../../../library/secrets/infrastructure.json' with { type: 'json' };
import keysAndFiles from '../../../library/secrets/keys-and-files.json' with { type: 'json' };
import messaging from '../../../library/secrets/messaging.json' with { type: 'json' };
import observability from '../../../library/secrets/observability.json' with { type: 'json' };
import payments from '../../../library/secrets/payments.json' with { type: 'json' };
import services from '../../../library/secrets/services.json' with { type: 'json' };
import sourceControl from '../../../library/secrets/source-control.json' with { type: 'json' };
import { unsafePattern } from './pattern-safety.ts';
import type { SecretRule } from './types.ts';
import { validators } from './validators/index.ts';

/** Of earlier rules with equal claims on a text, the first wins: the general ones come last. */
const LIBRARY = [
  sourceControl,
  build,
  infrastructure,
  awsGoogle,
  azure,
  cloudPlatforms,
  databases,
  artificialIntelligence,
  messaging,
  payments,
  observability,
  services,
  keysAndFiles,
].flat();

/** Raise it when the engine itself would find something else. */
const ENGINE_VERSION = 1;

/** Version of rules and engine together. */
export const secretsVersion: string = `secrets@${ENGINE_VERSION}-${createHash('sha256')
  .update(JSON.stringify(LIBRARY))
  .digest('hex')
  .slice(0, 12)}`;

const window = z.tuple([z.int().min(0).max(4_000), z.int().min(16).max(16_000)]);

const ruleSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]{2,60}$/),
  title: z.string().min(3),
  provider: z.string().min(1),
  severity: z.enum(SEVERITIES),
  keywords: z.array(z.string().min(2).max(40)).min(1),
  /** Exactly one of these four: a value by its own form, by the name it is assigned to, a whole pattern, any value. */
  token: z.string().optional(),
  assigned: z.string().optional(),
  pattern: z.string().optional(),
  generic: z.string().optional(),
  entropy: z.number().min(0).max(6).default(0),
  validator: z.string().optional(),
  window: window.optional(),
  remediation: z.string().min(10),
});

type RuleDocument = z.infer<typeof ruleSchema>;

const DEFAULT_WINDOW: readonly [number, number] = [128, 512];
const GENERIC_WINDOW: readonly [number, number] = [8, 220];

/** Not in the middle of a word; behind an escaped line break is fine. */
const BEFORE = String.raw`(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt]))`;
const AFTER = '(?![A-Za-z0-9_-])';
const VALUE_AFTER = '(?![A-Za-z0-9_+/=-])';
/** What a name needs to hold, besides the provider's, before its value is taken for a key. */
const KEY_WORDS = '(?:key|token|secret|passw|pwd|auth|api|cred|pat|licen[cs]e|access|sid)';
const ASSIGNMENT = String.raw`["'\]]{0,2}\s{0,4}(?:=>|:=|=|:|,|\s)\s{0,4}["'${'`'}(]{0,2}`;
const PLAIN_ASSIGNMENT = String.raw`["'\]]{0,2}[ \t]{0,4}(?:=>|:=|=|:)[ \t]{0,4}["'${'`'}]?`;

/** Compiles rules. Throws RangeError for a rule that is unsafe, unknown or incomplete: a mistake in the library. */
export function compileRules(documents: readonly unknown[]): readonly SecretRule[] {
  return documents.map((document, order) => compileRule(ruleSchema.parse(document), order));
}

let compiled: readonly SecretRule[] | undefined;

/** All rules of the library, compiled on first use. */
export function secretRules(): readonly SecretRule[] {
  compiled ??= compileRules(LIBRARY);
  return compiled;
}

function compileRule(rule: RuleDocument, order: number): SecretRule {
  const { kind, source, bounds } = patternOf(rule);
  const problem = unsafePattern(source);
  if (problem !== undefined) throw new RangeError(`secret rule ${rule.id}: ${problem}`);
  const validator = rule.validator === undefined ? undefined : validators[rule.validator];
  if (rule.validator !== undefined && validator === undefined)
    throw new RangeError(`secret rule ${rule.id}: no validator ${rule.validator}`);
  const [before, after] = rule.window ?? bounds;
  return {
    id: rule.id,
    order,
    title: `${rule.provider === 'any' ? '' : `${rule.provider}: `}${rule.title}`,
    provider: rule.provider,
    severity: rule.severity,
    kind,
    keywords: rule.keywords.map((keyword) => keyword.toLowerCase()),
    pattern: new RegExp(source, 'dg'),
    prefix: rule.token === undefined ? '' : literalPrefix(rule.token),
    entropy: rule.entropy,
    validator: validator?.validate,
    proves: validator?.proves ?? false,
    before,
    after,
    remediation: rule.remediation,
  };
}

function patternOf(rule: RuleDocument): {
  kind: SecretRule['kind'];
  source: string;
  bounds: readonly [number, number];
} {
  const { token, assigned, pattern, generic } = rule;
  if (token !== undefined) {
    return { kind: 'token', source: `${BEFORE}(?<secret>${token})${AFTER}`, bounds: DEFAULT_WINDOW };
  }
  if (assigned !== undefined) {
    return {
      kind: 'assigned',
      source: `${assignedName(rule.keywords)}${ASSIGNMENT}(?<secret>${assigned})${VALUE_AFTER}`,
      bounds: DEFAULT_WINDOW,
    };
  }
  if (generic !== undefined) {
    const name = String.raw`(?i:${rule.keywords.map(literal).join('|')})(?i:[_.-]?(?:key|value|string|base|prod|production))?`;
    return {
      kind: 'generic',
      source: `${name}${PLAIN_ASSIGNMENT}(?<secret>${generic})(?![^\\s"'\`,;])`,
      bounds: GENERIC_WINDOW,
    };
  }
  if (pattern === undefined) throw new RangeError(`secret rule ${rule.id}: no pattern`);
  return { kind: 'token', source: pattern, bounds: DEFAULT_WINDOW };
}

/** A provider's name needs a word such as key or token behind it, unless it holds one itself. */
function assignedName(keywords: readonly string[]): string {
  const complete = keywords.filter((name) => new RegExp(KEY_WORDS).test(name));
  const others = keywords.filter((name) => !complete.includes(name));
  const forms = [
    ...complete.map((name) => String.raw`${literal(name)}[\w.-]{0,20}`),
    ...others.map((name) => String.raw`${literal(name)}[\w.-]{0,24}${KEY_WORDS}[\w.-]{0,20}`),
  ];
  return `(?i:${forms.join('|')})`;
}

function literal(text: string): string {
  return text.replaceAll(/[.+*?^${}()|[\]\\/]/g, String.raw`\$&`);
}

/** The characters a token always starts with, as far as its pattern spells them out. */
function literalPrefix(pattern: string): string {
  if (pattern.includes('|') && !pattern.includes('(')) return '';
  const match = /^(?:[A-Za-z0-9_/-]|\\[.$])*/.exec(pattern);
  const text = match?.[0] ?? '';
  const whole = /^[?*{]/.test(pattern.slice(text.length)) ? text.replace(/(?:\\.|.)$/, '') : text;
  return whole.replaceAll('\\', '');
}
