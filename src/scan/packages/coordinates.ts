// What may stand as a package name or version: printable, bounded, so that no metadata can smuggle control characters.

const MAX_NAME = 512;
const MAX_VERSION = 256;

/** Is this a usable package name: 1–512 characters, no spaces or control characters? */
export function isPackageName(name: string | undefined): name is string {
  return name !== undefined && name.length > 0 && name.length <= MAX_NAME && printable.test(name);
}

/** Is this a usable version: 1–256 characters, no spaces or control characters? */
export function isPackageVersion(version: string | undefined): version is string {
  return (
    version !== undefined && version.length > 0 && version.length <= MAX_VERSION && printable.test(version)
  );
}

const printable = /^[^\s\p{Cc}\p{Cf}\p{Cs}\p{Co}]+$/u;

/** A short, printable form of foreign text for messages. */
export function quote(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}]/gu, '\u{fffd}');
  return `"${clean.length > 80 ? `${clean.slice(0, 80)}…` : clean}"`;
}
