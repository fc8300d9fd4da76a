// Artifact and version from a file name `artifact-version[.classifier].jar`, as Maven repositories name files.

export interface NamedArtifact {
  readonly artifact: string;
  /** Null where the name has none: `app.jar`. */
  readonly version: string | null;
}

/** Words that stand in versions; others belong to the artifact, as `api` in `log4j-1.2-api-2.14.1`. */
const WORDS = new Set(
  (
    'a alpha b beta build cr dev ea final ga incubating jbossorg jre android m milestone p pre r rc redhat ' +
    'release sec snapshot sp v'
  ).split(' '),
);
const MAX_NAME = 255;

/** Cuts a file name, without folders, into artifact and version. */
export function parseFileName(name: string): NamedArtifact {
  const dot = name.lastIndexOf('.');
  const base = (dot > 0 ? name.slice(0, dot) : name).slice(0, MAX_NAME);
  let last = -1;
  for (let at = base.indexOf('-', 1); at >= 0; at = base.indexOf('-', at + 1)) {
    if (!/\d/.test(base[at + 1] ?? '')) continue;
    last = at;
    if (isVersion(base.slice(at + 1))) break;
  }
  if (last < 0) return { artifact: base, version: null };
  return { artifact: base.slice(0, last), version: base.slice(last + 1) };
}

function isVersion(text: string): boolean {
  const words = text.toLowerCase().match(/[a-z]+/g) ?? [];
  return /^[\w.-]+$/.test(text) && words.every((word) => WORDS.has(word));
}
