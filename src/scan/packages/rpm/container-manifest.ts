// The package list of Azure Linux's distroless images (var/lib/rpmmanifest/container-manifest-2): one package a line.
import type { CatalogSink } from '../../cataloger.ts';
import { quote } from '../coordinates.ts';
import { rpmPackage } from './package-fact.ts';

export const CONTAINER_MANIFEST = 'var/lib/rpmmanifest/container-manifest-2';

/** Name, version-release, install time, build time, vendor, (none), size, architecture, epoch, source package. */
const COLUMNS = 10;

/** Reads `rpm -qa` output in the manifest's query format: columns between tabs. */
export function readContainerManifest(bytes: Buffer, sink: CatalogSink): void {
  let unusable = 0;
  let example = '';
  for (const line of bytes.toString('utf8').split('\n')) {
    if (line.trim() === '') continue;
    const columns = line.split('\t').map((column) => column.trim());
    const [name, version = '', , , , , , architecture, epoch = '', sourceRpm] = columns;
    const item =
      columns.length < COLUMNS
        ? undefined
        : rpmPackage({
            name,
            version,
            epoch: /^\d{1,9}$/.test(epoch) ? Number(epoch) : 0,
            architecture,
            sourceRpm,
          });
    if (item !== undefined) sink.package(item);
    else {
      unusable++;
      example ||= line;
    }
  }
  if (unusable > 0) sink.problem(`${unusable} lines are no packages, one of them ${quote(example)}`);
}
