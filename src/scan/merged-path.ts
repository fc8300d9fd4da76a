// Merged /usr (Debian UsrMerge): packages list files under /bin, /lib, … that layers hold under usr/.

const MERGED = /^(?:bin|sbin|lib|lib32|lib64|libx32)\//;

/** The path with top folders that are links into usr/ resolved, so that both spellings compare equal. */
export function mergedPath(path: string): string {
  return MERGED.test(path) ? `usr/${path}` : path;
}
