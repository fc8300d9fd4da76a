// Which statement of a set of VEX documents speaks of a finding: documents by precedence, in each the last statement.
import { matchesPackage, parsePackageUrl } from '../sbom/package-url-reader.ts';
import type { Finding } from '../types.ts';
import type { VexDocument, VexProduct, VexStatement } from './types.ts';

export interface VexSubject {
  /** References, repositories and digests of the image. */
  readonly images: readonly string[];
  readonly sourcePackage: string | null;
}

export interface VexAnswer {
  readonly document: VexDocument;
  readonly statement: VexStatement;
}

interface IndexedDocument {
  readonly document: VexDocument;
  /** Positions of statements by vulnerability in upper case, ascending. */
  readonly positions: ReadonlyMap<string, readonly number[]>;
}

/** Statements by vulnerability, so that a big document costs little per finding. */
export class VexIndex {
  readonly #documents: readonly IndexedDocument[];

  /** The first document that speaks of a finding decides. */
  constructor(documents: readonly VexDocument[]) {
    this.#documents = documents.map((document) => ({ document, positions: positionsOf(document) }));
  }

  find(finding: Finding, subject: VexSubject): VexAnswer | undefined {
    const ids = new Set([finding.id, finding.advisory, ...finding.aliases].map((id) => id.toUpperCase()));
    for (const { document, positions } of this.#documents) {
      const found = [...ids].flatMap((id) => positions.get(id) ?? []).toSorted((a, b) => b - a);
      for (const position of found) {
        const statement = document.statements[position];
        if (statement?.products.some((product) => isAbout(product, finding, subject)))
          return { document, statement };
      }
    }
    return undefined;
  }
}

function positionsOf(document: VexDocument): ReadonlyMap<string, readonly number[]> {
  const positions = new Map<string, number[]>();
  document.statements.forEach((statement, position) => {
    for (const id of new Set(statement.vulnerabilities.map((name) => name.toUpperCase()))) {
      const known = positions.get(id);
      if (known === undefined) positions.set(id, [position]);
      else known.push(position);
    }
  });
  return positions;
}

/** A product is the package of the finding itself, or its image; of an image only the named parts count, if any are. */
function isAbout(product: VexProduct, finding: Finding, subject: VexSubject): boolean {
  const isPackage = (purl: string): boolean => matchesPackage(purl, finding.purl, subject.sourcePackage);
  if (product.parts.length === 0 && product.identifiers.some(isPackage)) return true;
  if (!product.identifiers.some((identifier) => namesImage(identifier, subject))) return false;
  return product.parts.length === 0 || product.parts.some(isPackage);
}

/** By reference or digest, or by a package URL of type `oci` or `docker` (purl-spec) with digest, tag or repository. */
function namesImage(identifier: string, { images }: VexSubject): boolean {
  if (images.includes(identifier)) return true;
  const purl = parsePackageUrl(identifier);
  if (purl === undefined || (purl.type !== 'oci' && purl.type !== 'docker')) return false;
  if (purl.version?.startsWith('sha256:')) return images.includes(purl.version);
  const repository =
    purl.qualifiers.get('repository_url') ?? [purl.namespace, purl.name].filter(Boolean).join('/');
  const tag = purl.qualifiers.get('tag') ?? purl.version;
  return images.includes(tag === null ? repository : `${repository}:${tag}`);
}
