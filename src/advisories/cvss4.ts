// CVSS 4.0 scores by MacroVector and interpolation (first.org/cvss/v4.0/specification-document, section 8).
import table from '../../library/advisories/cvss4.json' with { type: 'json' };

type Metrics = ReadonlyMap<string, string>;

/** Allowed values per base metric, most severe first; every one must be given. */
const BASE: Readonly<Record<string, string>> = {
  AV: 'NALP',
  AC: 'LH',
  AT: 'NP',
  PR: 'NLH',
  UI: 'NPA',
  VC: 'HLN',
  VI: 'HLN',
  VA: 'HLN',
  SC: 'HLN',
  SI: 'HLN',
  SA: 'HLN',
};
/** Threat and environmental metrics that a vector may give; `X` is "not defined". */
const OPTIONAL: Readonly<Record<string, string>> = { E: 'XAPU', CR: 'XHML', IR: 'XHML', AR: 'XHML' };
/** What "not defined" counts as: the worst case. */
const WORST: Readonly<Record<string, string>> = { E: 'A', CR: 'H', IR: 'H', AR: 'H' };
/** Steps of severity between values of one metric, most severe first (table 24 and following). */
const LADDER: Readonly<Record<string, string>> = {
  ...BASE,
  SI: 'SHLN',
  SA: 'SHLN',
  CR: 'HML',
  IR: 'HML',
  AR: 'HML',
};
/** Which metrics each group of equivalence sets ranks. Exploit maturity (EQ5) has one step only and no distance. */
const GROUPS = [
  { name: 'eq1', metrics: ['AV', 'PR', 'UI'] },
  { name: 'eq2', metrics: ['AC', 'AT'] },
  { name: 'eq36', metrics: ['VC', 'VI', 'VA', 'CR', 'IR', 'AR'] },
  { name: 'eq4', metrics: ['SC', 'SI', 'SA'] },
] as const;

const SCORES: Readonly<Record<string, number | undefined>> = table.scores;
const HIGHEST_IMPACT: Readonly<Record<string, readonly string[] | undefined>> = table.highest.eq36;
const IMPACT_DEPTH: Readonly<Record<string, number | undefined>> = table.depth.eq36;

interface MacroVector {
  readonly eq1: number;
  readonly eq2: number;
  readonly eq3: number;
  readonly eq4: number;
  readonly eq5: number;
  readonly eq6: number;
}

/**
 * The score, 0–10 with one decimal, of the metrics of a 4.0 vector, threat and environmental ones included (CVSS-B, -BT,
 * -BE or -BTE by what it gives). Undefined when a base metric is missing or any value is unknown. Never throws.
 */
export function scoreCvss4(given: Metrics): number | undefined {
  const metrics = effective(given);
  if (metrics === undefined) return undefined;
  const impacts = ['VC', 'VI', 'VA', 'SC', 'SI', 'SA'].map((name) => metrics.get(name));
  if (impacts.every((value) => value === 'N')) return 0;
  const macro = macroVectorOf(metrics);
  const score = scoreOf(macro);
  if (score === undefined) return undefined;
  const distances = distancesOf(metrics, macro);
  if (distances === undefined) return undefined;
  // Each group that has a next lower MacroVector takes its share of the way to that one's score.
  const shares = [
    share(score, [scoreOf({ ...macro, eq1: macro.eq1 + 1 })], distances.eq1, table.depth.eq1[macro.eq1]),
    share(score, [scoreOf({ ...macro, eq2: macro.eq2 + 1 })], distances.eq2, table.depth.eq2[macro.eq2]),
    share(score, lowerImpacts(macro), distances.eq36, IMPACT_DEPTH[`${macro.eq3}${macro.eq6}`]),
    share(score, [scoreOf({ ...macro, eq4: macro.eq4 + 1 })], distances.eq4, table.depth.eq4[macro.eq4]),
    share(score, [scoreOf({ ...macro, eq5: macro.eq5 + 1 })], 0, 1),
  ].filter((value) => value !== undefined);
  const mean = shares.length === 0 ? 0 : shares.reduce((sum, value) => sum + value, 0) / shares.length;
  // A little above the value, so that what is exactly half in decimals is not half a bit less in binary.
  return Math.round((Math.min(10, Math.max(0, score - mean)) + 1e-6) * 10) / 10;
}

/** The metrics that count: modified ones in place of base ones, the worst case where nothing is defined. */
function effective(given: Metrics): Metrics | undefined {
  const metrics = new Map<string, string>();
  for (const [name, values] of Object.entries(BASE)) {
    const base = given.get(name);
    if (base === undefined || base.length !== 1 || !values.includes(base)) return undefined;
    const modified = given.get(`M${name}`) ?? 'X';
    const allowed = name === 'SI' || name === 'SA' ? `X${values}S` : `X${values}`;
    if (modified.length !== 1 || !allowed.includes(modified)) return undefined;
    metrics.set(name, modified === 'X' ? base : modified);
  }
  for (const [name, values] of Object.entries(OPTIONAL)) {
    const value = given.get(name) ?? 'X';
    if (value.length !== 1 || !values.includes(value)) return undefined;
    metrics.set(name, value === 'X' ? (WORST[name] ?? value) : value);
  }
  return metrics;
}

/** Section 8.2: the equivalence set of each group. */
function macroVectorOf(metrics: Metrics): MacroVector {
  const is = (name: string, value: string): boolean => metrics.get(name) === value;
  const reach = [is('AV', 'N'), is('PR', 'N'), is('UI', 'N')];
  const eq1 = reach.every(Boolean) ? 0 : reach.some(Boolean) && !is('AV', 'P') ? 1 : 2;
  const eq3 = is('VC', 'H') && is('VI', 'H') ? 0 : ['VC', 'VI', 'VA'].some((name) => is(name, 'H')) ? 1 : 2;
  const safety = is('SI', 'S') || is('SA', 'S');
  const eq4 = safety ? 0 : ['SC', 'SI', 'SA'].some((name) => is(name, 'H')) ? 1 : 2;
  const demanded = ['C', 'I', 'A'].some((name) => is(`${name}R`, 'H') && is(`V${name}`, 'H'));
  return {
    eq1,
    eq2: is('AC', 'L') && is('AT', 'N') ? 0 : 1,
    eq3,
    eq4,
    eq5: 'APU'.indexOf(metrics.get('E') ?? 'A'),
    eq6: demanded ? 0 : 1,
  };
}

function scoreOf({ eq1, eq2, eq3, eq4, eq5, eq6 }: MacroVector): number | undefined {
  return SCORES[`${eq1}${eq2}${eq3}${eq4}${eq5}${eq6}`];
}

/** EQ3 and EQ6 depend on each other: from 00 there are two ways down, from the others one. */
function lowerImpacts(macro: MacroVector): readonly (number | undefined)[] {
  const lowerEq3 = scoreOf({ ...macro, eq3: macro.eq3 + 1 });
  const lowerEq6 = scoreOf({ ...macro, eq6: macro.eq6 + 1 });
  if (macro.eq3 === 1 && macro.eq6 === 0) return [lowerEq6];
  return macro.eq6 === 0 ? [lowerEq3, lowerEq6] : [lowerEq3];
}

/** What one group takes off; undefined when there is no lower MacroVector, so that it does not count in the mean. */
function share(
  score: number,
  lower: readonly (number | undefined)[],
  distance: number,
  depth: number | undefined,
): number | undefined {
  const known = lower.filter((value) => value !== undefined);
  if (known.length === 0 || depth === undefined) return undefined;
  return ((score - Math.max(...known)) * distance) / depth;
}

/**
 * Section 8.3: steps from the highest severity vector of the same MacroVector, per group: of those that are nowhere
 * less severe than this vector, the first.
 */
function distancesOf(
  metrics: Metrics,
  macro: MacroVector,
): Readonly<Record<'eq1' | 'eq2' | 'eq36' | 'eq4', number>> | undefined {
  const highest = {
    eq1: table.highest.eq1[macro.eq1],
    eq2: table.highest.eq2[macro.eq2],
    eq36: HIGHEST_IMPACT[`${macro.eq3}${macro.eq6}`],
    eq4: table.highest.eq4[macro.eq4],
  };
  const found = { eq1: 0, eq2: 0, eq36: 0, eq4: 0 };
  for (const { name, metrics: names } of GROUPS) {
    const distance = (highest[name] ?? [])
      .map((vector) => stepsBelow(vector, names, metrics))
      .find((steps) => steps !== undefined);
    if (distance === undefined) return undefined;
    found[name] = distance;
  }
  return found;
}

/** Steps of all metrics together below `highest`; undefined where one of them is above it. */
function stepsBelow(highest: string, names: readonly string[], metrics: Metrics): number | undefined {
  const tops = new Map(highest.split('/').map((part) => [part.slice(0, 2), part.slice(3)]));
  let total = 0;
  for (const name of names) {
    const ladder = LADDER[name] ?? '';
    const steps = ladder.indexOf(metrics.get(name) ?? '') - ladder.indexOf(tops.get(name) ?? '');
    if (steps < 0) return undefined;
    total += steps;
  }
  return total;
}
