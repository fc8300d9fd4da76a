// MANIFEST.MF and pom.properties (JAR File Specification, "JAR Manifest"; java.util.Properties; Maven Archiver).

/** The main section's attributes by lower-case name; lines that start with a space continue the one before. */
export function parseManifest(text: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  let name: string | undefined;
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    if (line === '') break;
    if (line.startsWith(' ')) {
      if (name !== undefined) attributes.set(name, `${attributes.get(name) ?? ''}${line.slice(1)}`);
      continue;
    }
    const colon = line.indexOf(':');
    name = colon > 0 ? line.slice(0, colon).trim().toLowerCase() : undefined;
    if (name === undefined || attributes.has(name)) name = undefined;
    else attributes.set(name, line.slice(colon + 1).trimStart());
  }
  return attributes;
}

export interface Coordinates {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
}

/** What `META-INF/maven/<group>/<artifact>/pom.properties` says; undefined when a part is missing or a placeholder. */
export function parsePomProperties(text: string): Coordinates | undefined {
  const values = new Map<string, string>();
  for (const line of text.split(/\r\n|\n|\r/)) {
    const match = /^\s*(groupId|artifactId|version)\s*[=:]\s*(\S+)\s*$/.exec(line);
    if (match !== null) values.set(match[1] ?? '', match[2] ?? '');
  }
  const group = values.get('groupId');
  const artifact = values.get('artifactId');
  const version = values.get('version');
  if (!isCoordinate(group) || !isCoordinate(artifact) || !isMavenVersion(version)) return undefined;
  return { group, artifact, version };
}

/** Is this a group or artifact id as Maven allows: letters, digits, dots, hyphens and underscores, at most 255? */
export function isCoordinate(text: string | undefined): text is string {
  return text !== undefined && /^[\w.-]{1,255}$/.test(text);
}

/** A version without spaces, placeholders or path characters. */
export function isMavenVersion(text: string | undefined): text is string {
  return text !== undefined && /^[\w.+~-]{1,128}$/.test(text) && /\d/.test(text);
}
