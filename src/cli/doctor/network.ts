// Checks of the addresses: free to listen on, or taken by the server that belongs there.
import { createServer } from 'node:net';
import { describeError, httpSend, systemErrorCode } from '../../core/index.ts';
import type { ServerFile } from '../../server/index.ts';
import { type CheckContext, type CheckResult, fail, ok, warn } from './check.ts';

export async function checkServer(
  context: CheckContext,
  server: ServerFile | undefined,
): Promise<CheckResult> {
  const name = 'server';
  if (server === undefined) return ok(name, `none runs on ${context.dataDirectory}`);
  try {
    const response = await httpSend({ url: new URL('/readyz', server.api), idleTimeoutMs: 5_000 });
    response.body.resume();
    if (response.status === 200) return ok(name, `process ${server.pid} is ready at ${server.api}`);
    return warn(
      name,
      `process ${server.pid} at ${server.api} is not ready (${response.status})`,
      `Look at its log, and at ${server.api}/readyz`,
    );
  } catch (error) {
    return fail(
      name,
      `process ${server.pid} does not answer at ${server.api}: ${describeError(error)}`,
      `Look at its log; if the process is not Breakwater, remove ${context.dataDirectory}/server.json`,
    );
  }
}

/** `usedBy` is where the running server of the data directory listens, if one runs. */
export async function checkPort(
  name: string,
  address: { readonly host: string; readonly port: number },
  option: string,
  usedBy: string | null,
): Promise<CheckResult> {
  const text = `${address.host}:${address.port}`;
  if (usedBy !== null && usedBy.replace(/^https?:\/\//, '') === text)
    return ok(name, `${text}, by the running server`);
  try {
    await tryListen(address);
    return ok(name, `${text} is free`);
  } catch (error) {
    const busy = systemErrorCode(error) === 'EADDRINUSE';
    return fail(
      name,
      busy ? `${text} is used by another program` : `${text} cannot be used: ${describeError(error)}`,
      `Choose another address with ${option} ${address.host}:0 (any free port) or stop the other program.`,
    );
  }
}

function tryListen(address: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(address, () => probe.close(() => resolve()));
  });
}
