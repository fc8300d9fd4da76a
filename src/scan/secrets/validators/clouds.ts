// Keys of fixed binary length (Azure), passwords in addresses (RFC 3986), and mixes that only random text has.

/** Base64 of exactly 64 bytes: an Azure Storage or Cosmos DB account key. */
export function isBase64Of64(value: string): boolean {
  return decodesTo(value, 64);
}

/** Base64 of exactly 32 bytes: a shared access key or the signature of a shared access signature. */
export function isBase64Of32(value: string): boolean {
  return decodesTo(value.replaceAll(/%2b/gi, '+').replaceAll(/%2f/gi, '/').replaceAll(/%3d/gi, '='), 32);
}

function decodesTo(value: string, length: number): boolean {
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === length && bytes.toString('base64') === value;
}

/** Passwords that documentation and defaults use; a real one is none of them. */
const WEAK =
  /^(?:pass(?:word|wd)?\d{0,4}|pwd|secret|user(?:name)?|root|admin|guest|test(?:ing|user|pass)?|postgres(?:ql)?|mysql|redis|mongo|rabbitmq|foo|bar|baz|pw|p@ss\w{0,5}|s3cr3t|hunter2|abc\w{0,3}|[a-z]{1,3}|none|null|nil|undefined|true|false|token|key|hash|credentials|1234\d{0,6}|0{1,6})$/i;

/** The password part of an address, as far as it is not a default, a variable or a format specifier. */
export function isRealPassword(value: string): boolean {
  if (WEAK.test(value) || /^[:%]?[({<[]|^[%$&:]|[{}<>]/.test(value)) return false;
  return !/^(?:my|some|the)?[-_]?pass(?:word)?$/i.test(value);
}

/** Lower case, upper case or symbols, and digits in one value: neither a word nor a plain hash or identifier. */
export function isMixed(value: string): boolean {
  return isRealPassword(value) && /[0-9]/.test(value) && /[a-z]/.test(value) && /[A-Z]|[^\w]/.test(value);
}

/** Hexadecimal with digits and letters both. */
export function isMixedHex(value: string): boolean {
  return /[0-9]/.test(value) && /[a-f]/i.test(value);
}

/** Letters and digits both; no word, no path. */
export function isAlphanumericMix(value: string): boolean {
  return /[0-9]/.test(value) && /[A-Za-z]/.test(value);
}

/** Forty characters of base64 that are not the hexadecimal of a SHA-1. */
export function isAwsSecret(value: string): boolean {
  return !/^[0-9a-f]{40}$/i.test(value) && isAlphanumericMix(value) && !/\/[a-z]{4,}\/[a-z]{4,}/.test(value);
}
