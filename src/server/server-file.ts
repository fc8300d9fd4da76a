// `server.json` of the data directory: where the API of its running server is, for `doctor` and `backup`.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const shape = z.object({
  pid: z.number().int().positive(),
  api: z.string(),
  registry: z.string().nullable(),
  startedAt: z.string(),
});

/** No secret is in it. */
export type ServerFile = z.infer<typeof shape>;

function pathOf(dataDirectory: string): string {
  return join(dataDirectory, 'server.json');
}

export async function writeServerFile(dataDirectory: string, content: ServerFile): Promise<void> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  await writeFile(pathOf(dataDirectory), `${JSON.stringify(content)}\n`, { mode: 0o600 });
}

export async function removeServerFile(dataDirectory: string): Promise<void> {
  await rm(pathOf(dataDirectory), { force: true });
}

/**
 * The server that runs on a data directory, or undefined. A file whose process is gone is left over from a crash and
 * counts as none; whether the process really is the server, its lock and its API say.
 */
export async function readServerFile(dataDirectory: string): Promise<ServerFile | undefined> {
  try {
    const found = shape.safeParse(JSON.parse(await readFile(pathOf(dataDirectory), 'utf8')));
    return found.success && isAlive(found.data.pid) ? found.data : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
