// Building blocks of sabotages: which requests, and what goes wrong with their answers.
import type { Answer, Ask, Sabotage } from '../broken-registry.ts';

export type Chosen = (ask: Readonly<Ask>) => boolean;
export type Change = (answer: Answer, ask: Readonly<Ask>) => void;

const PATHS = {
  manifest: /^\/v2\/.+\/manifests\/[^/?]+/,
  'manifest by digest': /^\/v2\/.+\/manifests\/(?:sha256|sha512)(?::|%3A)[^/?]+/i,
  'manifest by tag': /^\/v2\/.+\/manifests\/(?!sha(?:256|512)(?::|%3A))[^/?]+/i,
  blob: /^\/v2\/.+\/blobs\/(?!uploads(?:[/?]|$))[^/?]+/,
  uploads: /^\/v2\/.+\/blobs\/uploads\/?(?:\?|$)/,
  session: /^\/v2\/.+\/blobs\/uploads\/[^/?]+/,
  tags: /^\/v2\/.+\/tags\/list/,
  referrers: /^\/v2\/.+\/referrers\//,
  any: /^/,
} as const;

export type PathKind = keyof typeof PATHS;

/** Requests of this method to this kind of path; `*` is every method. */
export function on(method: string, kind: PathKind): Chosen {
  return (ask) => (method === '*' || method.split('|').includes(ask.method)) && PATHS[kind].test(ask.path);
}

/** Changes the chosen answers. */
export function after(must: string, name: string, chosen: Chosen, change: Change): Sabotage {
  return {
    must,
    name,
    after: (answer, ask) => {
      if (chosen(ask)) change(answer, ask);
    },
  };
}

/** Changes the chosen requests, or answers them instead of the registry. */
export function before(
  must: string,
  name: string,
  chosen: Chosen,
  change: (ask: Ask) => Answer | void,
): Sabotage {
  return { must, name, before: (ask) => (chosen(ask) ? change(ask) : undefined) };
}

/** Changes the path of the request. */
export function rewrite(pattern: RegExp | string, replacement: string): (ask: Ask) => void {
  return (ask) => {
    ask.path = ask.path.replace(pattern, replacement);
  };
}

/** Changes the status where it is the one given; 0 means any success, 4 any refusal. */
export function status(from: number, to: number): Change {
  return (answer) => {
    const family = Math.floor(answer.status / 100);
    if (answer.status === from || (from === 0 && family === 2) || (from === 4 && family === 4))
      answer.status = to;
  };
}

export function drop(header: string): Change {
  return (answer) => {
    delete answer.headers[header];
  };
}

export function set(header: string, value: string | string[]): Change {
  return (answer) => {
    answer.headers[header] = value;
  };
}

/** Turns over one bit of the body, or adds a byte to an empty one. */
export const damage: Change = (answer) => {
  const last = answer.body.at(-1);
  answer.body =
    last === undefined ? Buffer.from('x') : Buffer.concat([answer.body.subarray(0, -1), Buffer.of(last ^ 1)]);
};

/** Changes a JSON body. */
export function json(change: (value: Record<string, unknown>) => void): Change {
  return (answer) => {
    const value: unknown = JSON.parse(answer.body.toString() || '{}');
    if (typeof value !== 'object' || value === null) return;
    change(value as Record<string, unknown>);
    answer.body = Buffer.from(JSON.stringify(value));
  };
}

/** Changes each entry of a list in a JSON body. */
export function each(list: string, change: (entry: Record<string, unknown>) => void): Change {
  return json((value) => {
    const entries = value[list];
    if (Array.isArray(entries)) for (const entry of entries) change(entry);
  });
}

/** Puts another list in the place of the one in a JSON body. */
export function relist(list: string, change: (entries: unknown[]) => unknown): Change {
  return json((value) => {
    const entries = value[list];
    if (Array.isArray(entries)) value[list] = change(entries);
  });
}

/** An answer made up by the proxy. */
export function answer(code: number, headers: Answer['headers'] = {}, body = ''): Answer {
  return {
    status: code,
    headers: { 'content-length': Buffer.byteLength(body), ...headers },
    body: Buffer.from(body),
  };
}
