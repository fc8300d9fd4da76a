// What may be shown of a secret: a masked form, and a fingerprint to recognise it by.
import { createHash } from 'node:crypto';

/** Shorter values are masked whole: six characters of them would be too large a part. */
const SHOWN_FROM = 20;
const FINGERPRINT_DIGITS = 32;

/** At most the first four and the last two characters; line breaks and other control characters never. */
export function maskSecret(value: string): string {
  if (value.length < SHOWN_FROM || /[^\x21-\x7e]/.test(value)) return '******';
  return `${value.slice(0, 4)}******${value.slice(-2)}`;
}

/** The same for the same rule and value everywhere, so that one decision about it holds everywhere. */
export function secretFingerprint(rule: string, value: string): string {
  return createHash('sha256')
    .update(`breakwater secret 1\0${rule}\0${value}`)
    .digest('hex')
    .slice(0, FINGERPRINT_DIGITS);
}
