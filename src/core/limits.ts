// Upper bounds that more than one folder needs. Every parser of foreign bytes takes its limit from here or beside itself.

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

/** Largest manifest accepted or read, in bytes (OCI distribution-spec: registries should accept at least 4 MiB). */
export const MAX_MANIFEST_BYTES = 4 * MiB;

/** Most layers one image may have. */
export const MAX_LAYERS = 1_000;

/** Most rows written in one transaction (design.md decision 2a). */
export const MAX_ROWS_PER_TRANSACTION = 500;

/** Splits a list into runs of at most `size`. */
export function* batches<T>(
  rows: readonly T[],
  size: number = MAX_ROWS_PER_TRANSACTION,
): Generator<readonly T[]> {
  for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size);
}
