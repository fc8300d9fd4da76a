// Comparison of decimal digit runs of any length, shared by the version schemes.

/** Compares two runs of decimal digits by value, without converting them: bounded for any length. */
export function compareDigits(a: string, b: string): number {
  const left = stripZeros(a);
  const right = stripZeros(b);
  if (left.length !== right.length) return left.length < right.length ? -1 : 1;
  return compareText(left, right);
}

/** Byte order of two ASCII texts (UTF-16 code unit order for others): -1, 0 or 1. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function isLowerLetter(code: number): boolean {
  return code >= 97 && code <= 122;
}

/** Index of the first character from `start` that is not a decimal digit. */
export function skipDigits(text: string, start: number): number {
  let index = start;
  while (index < text.length && isDigit(text.charCodeAt(index))) index++;
  return index;
}

function stripZeros(digits: string): string {
  let start = 0;
  while (start < digits.length && digits.charCodeAt(start) === 48) start++;
  return start === 0 ? digits : digits.slice(start);
}
