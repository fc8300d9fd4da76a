// `advisories update`: from the network, a directory or an OCI artifact to the current advisory file.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BreakwaterError, type Clock, describeError, type HttpAgents } from '../../core/index.ts';
import { parseReference, type RegistryClient } from '../../oci/index.ts';
import { type BuildProgress, buildAdvisoryFile } from '../build.ts';
import { advisoryErrors } from '../errors.ts';
import { openAdvisoryFile, verifyAdvisoryFile } from '../file/read.ts';
import type { NamedPath } from '../sources/index.ts';
import type { AdvisoryFileInfo } from '../types.ts';
import { pullAdvisories } from './artifact.ts';
import { DownloadCache } from './download-cache.ts';
import type { DownloadContext } from './download.ts';
import { feedOfAddress, knownFeeds } from './feeds.ts';
import { type FeedProgress, gatherFeeds } from './gathering.ts';
import { installFile } from './installation.ts';

export interface UpdateOptions {
  /**
   * `https://…` of one feed or compiled file, `oci://REGISTRY/REPOSITORY[:TAG|@DIGEST]`, a directory or a file. Empty:
   * all known feeds.
   */
  readonly sources: readonly string[];
  /** Ids of the known feeds to take; all when left out. */
  readonly feeds?: readonly string[];
  /** Base addresses to use in place of the publishers', in the order to try. */
  readonly mirrors: readonly URL[];
  /** Where downloads are kept between updates. */
  readonly cacheDirectory: string;
  /** Where the file goes; the first is the one that is compared with what is there. */
  readonly places: readonly [string, ...string[]];
  readonly clock: Clock;
  readonly agents?: HttpAgents;
  readonly signal?: AbortSignal;
  readonly openRegistry: (registry: string, repository: string) => Promise<RegistryClient>;
  readonly pause?: DownloadContext['pause'];
  readonly onProgress?: (progress: FeedProgress | BuildProgress) => void;
}

/** `installed`: a new file is in place. `kept`: the one that was there stays, and the warnings say why if anything failed. */
export interface UpdateOutcome {
  readonly kind: 'installed' | 'kept';
  readonly info: AdvisoryFileInfo;
  readonly bytes: number;
  readonly warnings: readonly string[];
}

/**
 * Brings the current advisory file up to date. What cannot be had is replaced by the copy from before, with a warning;
 * when too little is left, the file in place stays. Throws ADVISORIES_UPDATE_FAILED only when there is no file either.
 */
export async function updateAdvisories(options: UpdateOptions): Promise<UpdateOutcome> {
  await mkdir(options.cacheDirectory, { recursive: true });
  const work = await mkdtemp(join(options.cacheDirectory, 'update-'));
  try {
    const compiled = options.sources.filter((source) => /^oci:\/\/|\.bwadv$/.test(source));
    if (compiled.length > 0 && options.sources.length > 1)
      throw advisoryErrors.create('ADVISORIES_SOURCES_MIXED');
    const [source] = compiled;
    const made = join(work, 'new.bwadv');
    const result =
      source === undefined ? await buildFrom(options, made) : await takeCompiled(options, source, made);
    if (result.kind === 'kept') return await kept(options, result.warnings);
    await installFile(made, options.places);
    const { size } = await stat(made);
    return { kind: 'installed', info: result.info, bytes: size, warnings: result.warnings };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

type Made =
  | { readonly kind: 'made'; readonly info: AdvisoryFileInfo; readonly warnings: readonly string[] }
  | { readonly kind: 'kept'; readonly warnings: readonly string[] };

async function buildFrom(options: UpdateOptions, out: string): Promise<Made> {
  const isAddress = (source: string): boolean => /^https?:\/\//.test(source);
  const local = options.sources.filter((source) => !isAddress(source));
  const feeds =
    options.sources.length === 0
      ? knownFeeds(options.mirrors, options.feeds)
      : options.sources.filter(isAddress).map((source) => feedOfAddress(new URL(source)));
  const gathered = await gatherFeeds(feeds, downloads(options), (step) => options.onProgress?.(step));
  const { warnings, missing } = gathered;
  const sources: readonly (string | NamedPath)[] = [...local, ...gathered.paths];
  if (sources.length === 0) return { kind: 'kept', warnings };
  // A file that lacks a feed would look as if its flaws were gone; what is in place knows more.
  if (missing.length > 0 && existsSync(options.places[0])) {
    return {
      kind: 'kept',
      warnings: [...warnings, `not updated: ${missing.join(', ')} would be missing`],
    };
  }
  // Data is as old as its oldest part, whenever it is compiled.
  const builtAt = gathered.checkedAt ?? options.clock.now();
  const { info, problems } = await buildAdvisoryFile(sources, out, {
    clock: { now: () => builtAt },
    onProgress: (step) => options.onProgress?.(step),
  });
  return {
    kind: 'made',
    info,
    warnings: [...warnings, ...problems.map((problem) => `not read: ${problem}`)],
  };
}

/** A registry or an address that fails leaves the file in place; what comes and is wrong is an error only without one. */
async function takeCompiled(options: UpdateOptions, source: string, out: string): Promise<Made> {
  try {
    const info = await fetchCompiled(options, source, out);
    return info === 'unchanged' ? { kind: 'kept', warnings: [] } : { kind: 'made', info, warnings: [] };
  } catch (error) {
    const foreign = /^(?:oci|https?):\/\//.test(source);
    if (!foreign || options.signal?.aborted === true || !existsSync(options.places[0])) throw error;
    return { kind: 'kept', warnings: [`${source} was not taken: ${describeError(error)}`] };
  }
}

async function fetchCompiled(
  options: UpdateOptions,
  source: string,
  out: string,
): Promise<AdvisoryFileInfo | 'unchanged'> {
  if (source.startsWith('oci://')) {
    const { registry, repository, tag, digest } = parseReference(source.slice('oci://'.length));
    const client = await options.openRegistry(registry, repository);
    const reference = digest ?? tag ?? 'latest';
    return pullAdvisories({ client, repository, reference }, out, current(options)?.digest, options.signal);
  }
  if (/^https?:\/\//.test(source)) {
    const gathered = await gatherFeeds([feedOfAddress(new URL(source))], downloads(options), () => undefined);
    const [found] = gathered.paths;
    if (found === undefined || gathered.warnings.length > 0)
      throw advisoryErrors.create('ADVISORIES_UPDATE_FAILED', { reason: gathered.warnings.join('; ') });
    await copyFile(found.path, out);
    return verifyAdvisoryFile(out);
  }
  try {
    await copyFile(source, out);
  } catch (error) {
    const reason = describeError(error);
    throw advisoryErrors.create('ADVISORIES_FILE_UNREADABLE', { path: source, reason }, error);
  }
  return verifyAdvisoryFile(out);
}

function downloads(options: UpdateOptions): DownloadContext {
  return {
    cache: new DownloadCache(join(options.cacheDirectory, 'downloads')),
    clock: options.clock,
    pause:
      options.pause ?? ((milliseconds, signal) => sleep(milliseconds, undefined, signal ? { signal } : {})),
    ...(options.agents === undefined ? {} : { agents: options.agents }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
}

async function kept(options: UpdateOptions, warnings: readonly string[]): Promise<UpdateOutcome> {
  const info = current(options);
  if (info === undefined)
    throw advisoryErrors.create('ADVISORIES_UPDATE_FAILED', { reason: warnings.join('; ') });
  const { size } = await stat(options.places[0]);
  return { kind: 'kept', info, bytes: size, warnings };
}

/** What the file in place says of itself; undefined when there is none or it cannot be used. */
function current({ places }: UpdateOptions): AdvisoryFileInfo | undefined {
  try {
    const file = openAdvisoryFile(places[0]);
    file.close();
    return file.info;
  } catch (error) {
    if (error instanceof BreakwaterError) return undefined;
    throw error;
  }
}
