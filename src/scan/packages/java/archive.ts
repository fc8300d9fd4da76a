// Walks a Java archive and the archives inside it (Spring Boot, war, ear), with limits on depth, members and bytes.
import type { ArchiveBytes } from './archive-bytes.ts';
import { GROUP_FOLDERS } from './group-table.ts';
import { type Artifact, identify } from './identity.ts';
import { type Coordinates, isCoordinate, parseManifest, parsePomProperties } from './manifest.ts';
import { readZipDirectory, type ZipMember } from './zip-directory.ts';
import { readMember } from './zip-member.ts';

/** Archive names, by their extension. */
export const ARCHIVE_NAME = /\.(?:jar|war|ear|par|sar|hpi|jpi|nar)$/i;
const POM_PROPERTIES = /(?:^|\/)META-INF\/maven\/([^/]+\/[^/]+)\/pom\.properties$/;
const POM_XML = /(?:^|\/)META-INF\/maven\/([^/]+)\/([^/]+)\/pom\.xml$/;

const MAX_DEPTH = 5;
/** Members of the outer archive and of all inside it together. */
const MAX_MEMBERS = 1_000_000;
const MAX_METADATA_BYTES = 1024 * 1024;
const MAX_METADATA_FILES = 10_000;
/** Inflated bytes held at once, along one chain of nested archives; and bytes looked at altogether. */
const MAX_HELD_BYTES = 96 * 1024 * 1024;
const MAX_TOTAL_BYTES = 512 * 1024 * 1024;
const MAX_PATH = 1024;

export interface ArchiveFindings {
  /** `inside` is the path within the outer archive, `WEB-INF/lib/a.jar!/lib/b.jar`; empty for the outer one itself. */
  artifact(artifact: Artifact, inside: string): void;
  /** `reason` completes "could not read: …". */
  problem(reason: string): void;
}

/** Reads what an archive and those inside it are. `name` is the outer file's, without folders. Never throws. */
export function readArchive(bytes: ArchiveBytes, name: string, findings: ArchiveFindings): void {
  new ArchiveWalk(findings).open(bytes, name, '', 0, MAX_HELD_BYTES);
}

class ArchiveWalk {
  readonly #findings: ArchiveFindings;
  #members = 0;
  #metadata = 0;
  #total = 0;
  readonly #told = new Set<string>();

  constructor(findings: ArchiveFindings) {
    this.#findings = findings;
  }

  /** `room` is how many inflated bytes may still be held at once. */
  open(bytes: ArchiveBytes, name: string, inside: string, depth: number, room: number): void {
    const directory = readZipDirectory(bytes);
    this.#total += directory.bytes;
    if (directory.state === 'invalid') {
      this.#findings.problem(`${shown(inside)}${directory.reason}`);
      return;
    }
    const facts = new FactReader(name);
    const nested: ZipMember[] = [];
    for (const member of directory.members) {
      if (++this.#members > MAX_MEMBERS) {
        this.#once(`more than ${MAX_MEMBERS} members; the rest was left out`);
        break;
      }
      facts.look(member, () => this.#text(bytes, member, inside));
      if (ARCHIVE_NAME.test(member.name) && member.name.length <= MAX_PATH) nested.push(member);
    }
    for (const artifact of identify(facts.facts())) this.#findings.artifact(artifact, inside);
    if (facts.malformed > 0)
      this.#findings.problem(`${shown(inside)}${facts.malformed} pom.properties without usable coordinates`);
    for (const member of nested) {
      if (this.#total > MAX_TOTAL_BYTES) break;
      this.#nested(bytes, member, inside, depth, room);
    }
    if (this.#total > MAX_TOTAL_BYTES)
      this.#once(`more than ${MAX_TOTAL_BYTES} bytes inside; the rest was left out`);
  }

  #nested(outer: ArchiveBytes, member: ZipMember, inside: string, depth: number, room: number): void {
    if (depth + 1 > MAX_DEPTH) {
      this.#once(`archives nested more than ${MAX_DEPTH} deep`);
      return;
    }
    const path = inside === '' ? member.name : `${inside}!/${member.name}`;
    const content = readMember(outer, member, room);
    this.#total += content.inflated;
    if (content.state === 'unreadable') {
      this.#findings.problem(`${shown(path)}${content.reason}`);
      return;
    }
    const name = member.name.slice(member.name.lastIndexOf('/') + 1);
    this.open(content.bytes, name, path.slice(0, MAX_PATH), depth + 1, room - content.inflated);
  }

  #text(bytes: ArchiveBytes, member: ZipMember, inside: string): string | undefined {
    if (++this.#metadata > MAX_METADATA_FILES) {
      this.#once(`more than ${MAX_METADATA_FILES} metadata files; the rest was left out`);
      return undefined;
    }
    if (this.#total > MAX_TOTAL_BYTES) return undefined;
    const content = readMember(bytes, member, MAX_METADATA_BYTES);
    if (content.state === 'unreadable') {
      this.#total += content.inflated;
      this.#findings.problem(`${shown(inside)}${member.name.slice(0, MAX_PATH)}: ${content.reason}`);
      return undefined;
    }
    const text = content.bytes.read(0, Math.min(content.bytes.size, MAX_METADATA_BYTES));
    this.#total += text.length;
    return text.toString('utf8');
  }

  #once(reason: string): void {
    if (this.#told.has(reason)) return;
    this.#told.add(reason);
    this.#findings.problem(reason);
  }
}

/** Gathers the facts of one archive while its members pass by. */
class FactReader {
  readonly #name: string;
  readonly #poms = new Map<string, Coordinates>();
  readonly #places = new Map<string, { readonly group: string; readonly artifact: string }>();
  readonly #withProperties = new Set<string>();
  readonly #folders = new Set<string>();
  #manifest: ReadonlyMap<string, string> = new Map();
  malformed = 0;

  constructor(name: string) {
    this.#name = name;
  }

  look({ name }: ZipMember, read: () => string | undefined): void {
    if (name.endsWith('.class')) return this.#class(name);
    if (name === 'META-INF/MANIFEST.MF') {
      this.#manifest = parseManifest(read() ?? '');
      return;
    }
    const properties = POM_PROPERTIES.exec(name);
    if (properties !== null) {
      this.#withProperties.add(properties[1] ?? '');
      const text = read();
      const pom = text === undefined ? undefined : parsePomProperties(text);
      if (pom !== undefined) this.#poms.set(`${pom.group}:${pom.artifact}:${pom.version}`, pom);
      else if (text !== undefined) this.malformed++;
      return;
    }
    const [, group, artifact] = POM_XML.exec(name) ?? [];
    if (isCoordinate(group) && isCoordinate(artifact) && this.#places.size < MAX_METADATA_FILES)
      this.#places.set(`${group}/${artifact}`, { group, artifact });
  }

  facts() {
    const places = [...this.#places].filter(([key]) => !this.#withProperties.has(key));
    return {
      name: this.#name,
      poms: [...this.#poms.values()],
      places: places.map(([, place]) => place),
      manifest: this.#manifest,
      folders: this.#folders,
    };
  }

  /** The folders above a class, as far as the table of groups knows them: at most four levels. */
  #class(name: string): void {
    let end = name.indexOf('/');
    for (let level = 0; level < 4 && end >= 0; level++) {
      const folder = name.slice(0, end + 1);
      if (GROUP_FOLDERS.has(folder)) this.#folders.add(folder);
      end = name.indexOf('/', end + 1);
    }
  }
}

function shown(inside: string): string {
  return inside === '' ? '' : `${inside}: `;
}
