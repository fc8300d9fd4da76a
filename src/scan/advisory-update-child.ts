// The program of a process that updates advisories: takes one request over IPC, updates, answers, ends with its parent.
import { setPriority } from 'node:os';
import { updateAdvisories } from '../advisories/index.ts';
import { describeError, proxyAgents, systemClock } from '../core/index.ts';
import { findCredential, RegistryClient } from '../oci/index.ts';
import { type UpdateAnswer, updateRequest } from './advisory-update-messages.ts';

/** Building takes a processor for some seconds; the server goes first. */
const NICENESS = 10;

async function update(message: unknown): Promise<UpdateAnswer> {
  try {
    const { sources, mirrors, cacheDirectory, place } = updateRequest.parse(message);
    const { kind, info, warnings } = await updateAdvisories({
      sources,
      mirrors: mirrors.map((mirror) => new URL(mirror)),
      cacheDirectory,
      places: [place],
      clock: systemClock,
      agents: proxyAgents(process.env),
      openRegistry: async (registry, repository) =>
        new RegistryClient(registry, { credential: await findCredential(registry, repository) }),
    });
    return { kind, digest: info.digest, error: null, warnings: [...warnings] };
  } catch (error) {
    return { kind: null, digest: null, error: describeError(error), warnings: [] };
  }
}

try {
  setPriority(NICENESS);
} catch {
  // Not allowed everywhere; the update is only less polite then.
}

process.on('disconnect', () => process.exit(1));
process.on('message', (message: unknown) => {
  void update(message).then((answer) => process.send?.(answer, undefined, {}, () => process.exit(0)));
});
