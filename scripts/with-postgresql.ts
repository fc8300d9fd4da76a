// `with-postgresql COMMAND…`: runs a command with DATABASE_URL naming a real PostgreSQL started for it, and stops it afterwards.
import { spawn } from 'node:child_process';
import { postgresMissing, startPostgres } from '../test/fixtures/postgres.ts';

const [program, ...args] = process.argv.slice(2);
const missing = postgresMissing();
if (program === undefined) {
  console.error('usage: with-postgresql COMMAND [ARGUMENT…]');
  process.exitCode = 2;
} else if (missing !== undefined) {
  console.error(`cannot run on a real PostgreSQL: ${missing}`);
  process.exitCode = 1;
} else {
  const server = await startPostgres();
  try {
    process.exitCode = await new Promise<number>((resolve, reject) => {
      const child = spawn(program, args, {
        stdio: 'inherit',
        env: { ...process.env, DATABASE_URL: server.url },
      });
      child.on('error', reject);
      child.on('exit', (code) => resolve(code ?? 1));
    });
  } finally {
    await server.stop();
  }
}
