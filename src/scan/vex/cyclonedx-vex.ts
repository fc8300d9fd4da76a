// CycloneDX VEX (ECMA-424, "vulnerabilities[].analysis"): states of vulnerabilities of referenced components.
import { z } from 'zod';
import type { VexDocument, VexProduct, VexStatement, VexStatus } from './types.ts';

const vulnerability = z.object({
  id: z.string().optional(),
  references: z.array(z.object({ id: z.string().optional() })).optional(),
  analysis: z
    .object({
      state: z.string().optional(),
      justification: z.string().optional(),
      detail: z.string().optional(),
      response: z.array(z.string()).optional(),
    })
    .optional(),
  affects: z.array(z.object({ ref: z.string() })).optional(),
});

const component = z.object({
  'bom-ref': z.string().optional(),
  purl: z.string().optional(),
  components: z.array(z.unknown()).optional(),
});

const schema = z.object({
  metadata: z
    .object({
      component: z.unknown().optional(),
      supplier: z.object({ name: z.string().optional() }).optional(),
    })
    .optional(),
  components: z.array(z.unknown()).optional(),
  vulnerabilities: z.array(vulnerability).optional(),
});

const STATES: Readonly<Record<string, VexStatus>> = {
  resolved: 'fixed',
  resolved_with_pedigree: 'fixed',
  exploitable: 'affected',
  in_triage: 'under_investigation',
  false_positive: 'not_affected',
  not_affected: 'not_affected',
};

/** The document's statements; in words why it is none. Vulnerabilities without an analysis say nothing here. */
export function readCyclonedxVex(value: unknown): Omit<VexDocument, 'source'> | string {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return z.prettifyError(parsed.error).split('\n')[0] ?? 'not CycloneDX';
  const { metadata, components = [], vulnerabilities = [] } = parsed.data;
  const purls = purlsByReference([metadata?.component, ...components]);
  const statements = vulnerabilities.flatMap((entry): VexStatement[] => {
    const status = STATES[entry.analysis?.state ?? ''];
    if (status === undefined) return [];
    const { justification, detail, response } = entry.analysis ?? {};
    return [
      {
        vulnerabilities: [entry.id, ...(entry.references ?? []).map((reference) => reference.id)].filter(
          (id) => id !== undefined,
        ),
        status,
        products: (entry.affects ?? []).map(({ ref }) => productOf(ref, purls)),
        text: [justification, detail, response?.join(', ')].filter(Boolean).join(': '),
      },
    ];
  });
  return { format: 'cyclonedx', author: metadata?.supplier?.name ?? null, statements };
}

/** A reference into the document, a BOM-Link (`urn:cdx:serial/version#reference`), or a package URL itself. */
function productOf(ref: string, purls: ReadonlyMap<string, string>): VexProduct {
  const link = /^urn:cdx:[^#]*#(.+)$/s.exec(ref)?.[1];
  const name = link === undefined ? ref : decoded(link);
  const purl = purls.get(name);
  return { identifiers: purl === undefined ? [name] : [purl], parts: [] };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Components nest without limit, so they are walked with a list of what is left to do. */
function purlsByReference(roots: readonly unknown[]): ReadonlyMap<string, string> {
  const purls = new Map<string, string>();
  const waiting: unknown[] = [...roots];
  while (waiting.length > 0) {
    const parsed = component.safeParse(waiting.pop());
    if (!parsed.success) continue;
    const { purl, 'bom-ref': reference, components = [] } = parsed.data;
    if (purl !== undefined && reference !== undefined) purls.set(reference, purl);
    for (const child of components) waiting.push(child);
  }
  return purls;
}
