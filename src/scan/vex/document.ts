// Tells VEX documents apart and reads them; each format has a file of its own.
import { describeError, MiB } from '../../core/index.ts';
import { scanErrors } from '../errors.ts';
import { readCsaf } from './csaf.ts';
import { readCyclonedxVex } from './cyclonedx-vex.ts';
import { readOpenvex } from './openvex.ts';
import type { VexDocument, VexStatement } from './types.ts';

/** Largest VEX document read, in bytes. */
export const MAX_VEX_BYTES = 32 * MiB;

const MAX_STATEMENTS = 200_000;

/**
 * Reads a VEX document of any of the three formats. An attestation (in-toto statement) gives its predicate.
 * @throws SCAN_VEX_INVALID
 */
export function parseVexDocument(bytes: Uint8Array, source: string): VexDocument {
  const refuse = (reason: string, cause?: unknown): Error =>
    scanErrors.create('SCAN_VEX_INVALID', { file: source, reason }, cause);
  if (bytes.length > MAX_VEX_BYTES) throw refuse(`it is larger than ${MAX_VEX_BYTES / MiB} MiB`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw refuse(`it is not JSON (${describeError(error)})`, error);
  }
  const read = readerOf(value);
  if (read === undefined) throw refuse('it is neither OpenVEX nor CycloneDX nor CSAF');
  const result = read();
  if (typeof result === 'string') throw refuse(result);
  const statements: VexStatement[] = [];
  for (const statement of result.statements) {
    if (statements.length >= MAX_STATEMENTS) throw refuse(`it has more than ${MAX_STATEMENTS} statements`);
    if (statement.vulnerabilities.length > 0 && statement.products.length > 0) statements.push(statement);
  }
  return { format: result.format, source, author: result.author, statements };
}

function readerOf(value: unknown): (() => Omit<VexDocument, 'source'> | string) | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const document: { readonly [key: string]: unknown } = { ...value };
  const type = document['_type'];
  if (typeof type === 'string' && type.startsWith('https://in-toto.io/Statement/')) {
    const predicate = document['predicate'];
    // One level only: a predicate is no statement itself.
    return typeof predicate === 'object' && predicate !== null && !('_type' in predicate)
      ? readerOf(predicate)
      : undefined;
  }
  const context = document['@context'];
  if (typeof context === 'string' && context.startsWith('https://openvex.dev/ns')) {
    return () => readOpenvex(value);
  }
  if (document['bomFormat'] === 'CycloneDX') return () => readCyclonedxVex(value);
  const head = document['document'];
  if (typeof head === 'object' && head !== null && 'csaf_version' in head) return () => readCsaf(value);
  return undefined;
}
