// CSAF 2.0 (OASIS, profile 5 "VEX"): product tree, product status of each vulnerability, flags and threats.
import { z } from 'zod';
import { parsePackageUrl } from '../sbom/package-url-reader.ts';
import type { VexDocument, VexProduct, VexStatement, VexStatus } from './types.ts';

const MAX_PRODUCTS = 500_000;

const productName = z.object({
  product_id: z.string(),
  product_identification_helper: z
    .object({ purl: z.string().optional(), hashes: z.array(z.unknown()).optional() })
    .optional(),
});
const branch = z.object({ branches: z.array(z.unknown()).optional(), product: productName.optional() });
const relationship = z.object({
  full_product_name: productName,
  product_reference: z.string(),
  relates_to_product_reference: z.string(),
});
const ids = z.array(z.string()).optional();

const vulnerability = z.object({
  cve: z.string().optional(),
  ids: z.array(z.object({ text: z.string().optional() })).optional(),
  product_status: z
    .object({
      known_not_affected: ids,
      fixed: ids,
      first_fixed: ids,
      known_affected: ids,
      first_affected: ids,
      last_affected: ids,
      under_investigation: ids,
    })
    .optional(),
  flags: z.array(z.object({ label: z.string(), product_ids: ids })).optional(),
  threats: z.array(z.object({ category: z.string(), details: z.string(), product_ids: ids })).optional(),
  remediations: z.array(z.object({ category: z.string(), details: z.string(), product_ids: ids })).optional(),
});

const schema = z.object({
  document: z.object({ publisher: z.object({ name: z.string().optional() }).optional() }),
  product_tree: z
    .object({
      branches: z.array(z.unknown()).optional(),
      full_product_names: z.array(productName).optional(),
      relationships: z.array(relationship).optional(),
    })
    .optional(),
  vulnerabilities: z.array(vulnerability).optional(),
});

type Vulnerability = z.infer<typeof vulnerability>;
type Tree = NonNullable<z.infer<typeof schema>['product_tree']>;

const STATUSES: readonly (readonly [keyof NonNullable<Vulnerability['product_status']>, VexStatus])[] = [
  ['known_affected', 'affected'],
  ['first_affected', 'affected'],
  ['last_affected', 'affected'],
  ['under_investigation', 'under_investigation'],
  ['fixed', 'fixed'],
  ['first_fixed', 'fixed'],
  ['known_not_affected', 'not_affected'],
];

/** The document's statements; in words why it is none. Products without a package URL are not understood and left out. */
export function readCsaf(value: unknown): Omit<VexDocument, 'source'> | string {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return z.prettifyError(parsed.error).split('\n')[0] ?? 'not CSAF';
  const { document, product_tree: tree = {}, vulnerabilities = [] } = parsed.data;
  const products = productsOf(tree);
  if (products === undefined) return `it has more than ${MAX_PRODUCTS} products`;
  return {
    format: 'csaf',
    author: document.publisher?.name ?? null,
    statements: vulnerabilities.flatMap((entry) => statementsOf(entry, products)),
  };
}

function statementsOf(entry: Vulnerability, products: ReadonlyMap<string, VexProduct>): VexStatement[] {
  const names = [entry.cve, ...(entry.ids ?? []).map((id) => id.text)].filter((id) => id !== undefined);
  const statements: VexStatement[] = [];
  for (const [key, status] of STATUSES) {
    // One statement for each text, because flags and threats are given per product.
    const byText = Map.groupBy(entry.product_status?.[key] ?? [], (id) => textOf(entry, id, status));
    for (const [text, found] of byText) {
      const known = found.map((id) => products.get(id)).filter((product) => product !== undefined);
      statements.push({ vulnerabilities: names, status, products: known, text });
    }
  }
  return statements;
}

function textOf(
  { flags = [], threats = [], remediations = [] }: Vulnerability,
  id: string,
  status: VexStatus,
): string {
  const about = (entry: { readonly product_ids?: readonly string[] | undefined }): boolean =>
    entry.product_ids === undefined || entry.product_ids.includes(id);
  const parts = [
    ...flags.filter(about).map((flag) => flag.label),
    ...threats
      .filter((threat) => threat.category === 'impact' && about(threat))
      .map((threat) => threat.details),
    ...(status === 'affected' ? remediations.filter(about).map((remedy) => remedy.details) : []),
  ];
  return parts.join(': ').slice(0, 1_000);
}

/** Products by their id. A part of a product is known by its own package URL, within the product where that has one. */
function productsOf(tree: Tree): ReadonlyMap<string, VexProduct> | undefined {
  const purls = new Map<string, string>();
  const note = ({
    product_id: id,
    product_identification_helper: helper,
  }: z.infer<typeof productName>): void => {
    if (helper?.purl !== undefined) purls.set(id, helper.purl);
  };
  for (const product of tree.full_product_names ?? []) note(product);
  // Branches nest without limit, so they are walked with a list of what is left to do.
  const waiting: unknown[] = [...(tree.branches ?? [])];
  let seen = 0;
  while (waiting.length > 0) {
    if (++seen > MAX_PRODUCTS) return undefined;
    const parsed = branch.safeParse(waiting.pop());
    if (!parsed.success) continue;
    if (parsed.data.product !== undefined) note(parsed.data.product);
    for (const child of parsed.data.branches ?? []) waiting.push(child);
  }
  const products = new Map<string, VexProduct>();
  for (const [id, purl] of purls) products.set(id, { identifiers: [purl], parts: [] });
  for (const entry of tree.relationships ?? []) {
    const part = purls.get(entry.product_reference);
    const whole = purls.get(entry.relates_to_product_reference);
    if (part === undefined) continue;
    const product = partOf(part, whole);
    if (product !== undefined) products.set(entry.full_product_name.product_id, product);
  }
  return products;
}

/**
 * A part of a product without a package URL (a platform named by its CPE) is only understood with its exact version:
 * without one the statement could be about another release.
 */
function partOf(part: string, whole: string | undefined): VexProduct | undefined {
  if (whole !== undefined) return { identifiers: [whole], parts: [part] };
  return (parsePackageUrl(part)?.version ?? null) === null ? undefined : { identifiers: [part], parts: [] };
}
