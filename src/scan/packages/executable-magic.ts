// Does a file start like an executable or a shared library: ELF, Mach-O (both byte orders, and fat) or PE?

/** How many bytes decide. */
export const MAGIC_BYTES = 4;

/** `head` holds at least {@link MAGIC_BYTES} bytes. */
export function isExecutable(head: Buffer): boolean {
  const magic = head.readUInt32BE(0);
  if (magic === 0x7f454c46 || magic >>> 16 === 0x4d5a) return true;
  return [0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe].includes(magic);
}
