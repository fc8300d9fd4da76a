// A load client for blobs in a process of its own, so that its work is not counted as the server's. Loopback only.
// Arguments: get|put URL-base REPOSITORY STREAMS REPEATS SIZE DIGEST|- AUTHORIZATION|-; prints the bytes moved.
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';

const [
  mode = '',
  registry = '',
  repository = '',
  streams = '1',
  repeats = '1',
  size = '0',
  digest = '-',
  authorization = '-',
] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const headers: Record<string, string> = authorization === '-' ? {} : { authorization };
const [host = '', port = ''] = registry.split(':');

interface Answer {
  readonly status: number;
  readonly location: string;
  readonly bytes: number;
}

function send(
  method: string,
  path: string,
  body: Buffer | undefined,
  extra: Record<string, string>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host, port, method, path, agent, headers: { ...headers, ...extra } },
      (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => (bytes += chunk.length));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '', bytes }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function expectStatus(answer: Answer, status: number, step: string): void {
  if (answer.status !== status) throw new Error(`${step} answered ${answer.status}`);
}

async function get(): Promise<number> {
  const answer = await send('GET', `/v2/${repository}/blobs/${digest}`, undefined, {});
  expectStatus(answer, 200, 'GET blob');
  return answer.bytes;
}

async function put(content: Buffer): Promise<number> {
  const name = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const start = await send('POST', `/v2/${repository}/blobs/uploads/`, undefined, { 'content-length': '0' });
  expectStatus(start, 202, 'POST upload');
  const local = (location: string): string => location.replace(/^http:\/\/[^/]+/, '');
  const patch = await send('PATCH', local(start.location), content, {
    'content-type': 'application/octet-stream',
    'content-length': String(content.length),
  });
  expectStatus(patch, 202, 'PATCH upload');
  const finish = local(patch.location);
  const done = await send('PUT', `${finish}${finish.includes('?') ? '&' : '?'}digest=${name}`, undefined, {
    'content-length': '0',
  });
  expectStatus(done, 201, 'PUT upload');
  return content.length;
}

async function stream(): Promise<number> {
  let moved = 0;
  const content = mode === 'put' ? randomBytes(Number(size)) : undefined;
  for (let i = 0; i < Number(repeats); i++) {
    if (content === undefined) moved += await get();
    else {
      randomBytes(64).copy(content);
      moved += await put(content);
    }
  }
  return moved;
}

const moved = await Promise.all(Array.from({ length: Number(streams) }, stream));
console.log(moved.reduce((sum, bytes) => sum + bytes, 0));
agent.destroy();
