// How formats tell where a secret stands, and that a deleted one is still there.
import type { ScanReport, SecretFinding } from '../../scan/index.ts';

/** `layer 4: /app/.ssh/id_rsa:1`, `environment variable TOKEN`. */
export function secretPlace({ source, path, line, layer }: SecretFinding): string {
  if (source === 'environment') return `environment variable ${path}`;
  if (source === 'label') return `label ${path}`;
  const where = source === 'history' ? `build instruction ${path}` : `/${path}:${line}`;
  return layer === null ? where : `layer ${layer}: ${where}`;
}

/** A layer on top hides a file, it does not take it out of the image. */
export function removalText({ removedInLayer }: SecretFinding): string {
  return removedInLayer === null ? '' : `removed in layer ${removedInLayer}, still in the image`;
}

/** The number of secrets in words; undefined when they were not looked for. */
export function secretsText({ secrets }: ScanReport): string | undefined {
  if (secrets === undefined) return undefined;
  return `${secrets.length} ${secrets.length === 1 ? 'secret' : 'secrets'}`;
}
