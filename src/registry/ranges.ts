// The three range grammars of the registry: `Range` of blob pulls (RFC 9110 section 14), `Content-Range` of upload chunks, `Range` of upload replies (OCI distribution-spec).

export type RequestedRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' };

const MAX_HEADER = 128;

/**
 * Reads a `Range` request header against a body of `size` bytes. Malformed headers, other units and several ranges
 * mean the whole body, as RFC 9110 allows.
 */
export function parseRange(header: string | undefined, size: number): RequestedRange {
  if (header === undefined || header.length > MAX_HEADER) return { kind: 'whole' };
  const equals = header.indexOf('=');
  if (equals < 0 || header.slice(0, equals).trim().toLowerCase() !== 'bytes') return { kind: 'whole' };
  const spec = header.slice(equals + 1).trim();
  const dash = spec.indexOf('-');
  if (dash < 0) return { kind: 'whole' };
  const first = spec.slice(0, dash);
  const last = spec.slice(dash + 1);
  if (first === '') {
    const suffix = parseOffset(last);
    if (suffix === undefined) return { kind: 'whole' };
    if (suffix === 0 || size === 0) return { kind: 'unsatisfiable' };
    return { kind: 'part', start: Math.max(0, size - suffix), end: size - 1 };
  }
  const start = parseOffset(first);
  const end = last === '' ? size - 1 : parseOffset(last);
  if (start === undefined || end === undefined) return { kind: 'whole' };
  if (last !== '' && end < start) return { kind: 'whole' };
  if (start >= size) return { kind: 'unsatisfiable' };
  return { kind: 'part', start, end: Math.min(end, size - 1) };
}

/** Reads `Content-Range: <start>-<end>` of an upload chunk, both inclusive. Undefined when malformed. */
export function parseContentRange(header: string): { start: number; end: number } | undefined {
  if (header.length > MAX_HEADER) return undefined;
  const dash = header.indexOf('-');
  if (dash <= 0) return undefined;
  const start = parseOffset(header.slice(0, dash));
  const end = parseOffset(header.slice(dash + 1));
  if (start === undefined || end === undefined || end < start) return undefined;
  return { start, end };
}

/** The `Range` of an upload that holds `size` bytes. An empty one is `0-0`, as the specification has it. */
export function uploadRange(size: number): string {
  return `0-${Math.max(0, size - 1)}`;
}

/** Decimal digits only, at most `Number.MAX_SAFE_INTEGER`. */
export function parseOffset(text: string): number | undefined {
  if (text.length === 0 || text.length > 16) return undefined;
  let value = 0;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}
