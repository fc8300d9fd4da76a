// An installed RPM as a package of the scan: version with epoch, source package, module stream.
import type { CatalogedPackage } from '../../types.ts';
import { isPackageName, isPackageVersion } from '../coordinates.ts';

export interface RpmFacts {
  readonly name: string | undefined;
  /** `version-release`. */
  readonly version: string;
  readonly epoch: number;
  readonly architecture: string | undefined;
  readonly sourceRpm: string | undefined;
  readonly license?: string | undefined;
  readonly moduleLabel?: string | undefined;
}

/** The package; undefined when its name or version cannot be used. An epoch of 0 is not written. */
export function rpmPackage(facts: RpmFacts): Omit<CatalogedPackage, 'path'> | undefined {
  const { name, architecture, license, sourceRpm } = facts;
  const epoch = facts.epoch > 0 ? `${facts.epoch}:` : '';
  const version = `${epoch}${facts.version}`;
  if (!isPackageName(name) || !isPackageVersion(version)) return undefined;
  const stream = moduleStream(facts.moduleLabel);
  return {
    kind: 'rpm',
    name,
    version,
    source: sourceOf(sourceRpm, epoch) ?? { name, version },
    ...(isPackageName(architecture) && architecture !== '(none)' ? { architecture } : {}),
    ...(license === undefined || license === '' ? {} : { licenses: [license.slice(0, 256)] }),
    ...(stream === undefined ? {} : { detail: { module: stream } }),
  };
}

/** `name-version-release.src.rpm`. File names carry no epoch; that of the binary package holds, as packagers inherit it. */
function sourceOf(file: string | undefined, epoch: string): { name: string; version: string } | undefined {
  const match = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file?.slice(0, 1024) ?? '');
  const [, name, release] = match ?? [];
  const version = release === undefined ? undefined : `${epoch}${release}`;
  return isPackageName(name) && isPackageVersion(version) ? { name, version } : undefined;
}

/** `nodejs:18` of `nodejs:18:9020020230825081254:rhel9`. */
function moduleStream(label: string | undefined): string | undefined {
  const [name, stream] = label?.split(':') ?? [];
  const text = `${name}:${stream}`;
  return name && stream && isPackageName(text) ? text : undefined;
}
