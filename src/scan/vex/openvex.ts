// OpenVEX 0.2 (openvex/spec, OPENVEX-SPEC.md): statements with products and subcomponents.
import { z } from 'zod';
import type { VexDocument, VexProduct, VexStatement } from './types.ts';

const component = z.union([
  z.string(),
  z.object({
    '@id': z.string().optional(),
    identifiers: z.record(z.string(), z.unknown()).optional(),
    hashes: z.record(z.string(), z.unknown()).optional(),
  }),
]);
const product = z.union([
  z.string(),
  z.object({ ...component.options[1].shape, subcomponents: z.array(component).optional() }),
]);

const statement = z.object({
  vulnerability: z.union([
    z.string(),
    z.object({
      '@id': z.string().optional(),
      name: z.string().optional(),
      aliases: z.array(z.string()).optional(),
    }),
  ]),
  timestamp: z.string().optional(),
  last_updated: z.string().optional(),
  products: z.array(product).optional(),
  status: z.enum(['not_affected', 'affected', 'fixed', 'under_investigation']),
  justification: z.string().optional(),
  impact_statement: z.string().optional(),
  action_statement: z.string().optional(),
  status_notes: z.string().optional(),
});

const schema = z.object({
  author: z.string().optional(),
  timestamp: z.string().optional(),
  statements: z.array(statement),
});

type Component = z.infer<typeof component>;
type Statement = z.infer<typeof statement>;

/** The document's statements, the oldest first; in words why it is none. */
export function readOpenvex(value: unknown): Omit<VexDocument, 'source'> | string {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return z.prettifyError(parsed.error).split('\n')[0] ?? 'not OpenVEX';
  const { author, timestamp = '', statements } = parsed.data;
  const instant = (entry: Statement): number =>
    Date.parse(entry.last_updated ?? entry.timestamp ?? timestamp) || 0;
  return {
    format: 'openvex',
    author: author ?? null,
    statements: statements.toSorted((a, b) => instant(a) - instant(b)).map(statementOf),
  };
}

function statementOf(entry: Statement): VexStatement {
  const { justification, impact_statement: impact, action_statement: action, status_notes: notes } = entry;
  return {
    vulnerabilities: vulnerabilitiesOf(entry.vulnerability),
    status: entry.status,
    products: (entry.products ?? []).map(productOf),
    text: [justification, impact, action, notes].filter(Boolean).join(': '),
  };
}

function vulnerabilitiesOf(value: Statement['vulnerability']): readonly string[] {
  if (typeof value === 'string') return [value];
  // An @id is an address whose last part is the id, where no name is given.
  const name = value.name ?? value['@id']?.split('/').pop();
  return [...(name === undefined || name === '' ? [] : [name]), ...(value.aliases ?? [])];
}

function productOf(value: z.infer<typeof product>): VexProduct {
  const parts = typeof value === 'string' ? [] : (value.subcomponents ?? []).flatMap(identifiersOf);
  return { identifiers: identifiersOf(value), parts };
}

function identifiersOf(value: Component): readonly string[] {
  if (typeof value === 'string') return [value];
  const purl = value.identifiers?.['purl'];
  const sha256 = value.hashes?.['sha-256'];
  return [
    ...(value['@id'] === undefined ? [] : [value['@id']]),
    ...(typeof purl === 'string' ? [purl] : []),
    ...(typeof sha256 === 'string' ? [`sha256:${sha256.toLowerCase()}`] : []),
  ];
}
