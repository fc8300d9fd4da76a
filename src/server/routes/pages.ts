// The plain pages `/` and `/images/<digest>`: what the REST API answers, as HTML without script, until the console comes.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { SEVERITIES } from '../../core/index.ts';
import type { ServerContext } from '../context.ts';
import { type Html, html } from '../page/html.ts';
import { imageDetailBody } from '../page/image-detail.ts';
import { imageListBody } from '../page/image-list.ts';
import { PAGE_POLICY, page } from '../page/layout.ts';

const IMAGES_SHOWN = 50;
const FINDINGS_SHOWN = 500;

const advisories = z.object({
  kind: z.enum(['file', 'starter']),
  digest: z.string(),
  ageHours: z.number(),
  advisories: z.number(),
  notices: z.array(z.string()),
});
const scan = z.object({
  status: z.enum(['pending', 'running', 'finished', 'failed', 'unscannable']),
  trigger: z.string().nullable(),
  finishedAt: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  reason: z.string().nullable(),
  advisories: advisories.nullable(),
  packageCount: z.number().nullable(),
  counts: z.record(z.string(), z.number()).nullable(),
});
const image = z.object({
  digest: z.string(),
  kind: z.enum(['image', 'index', 'artifact']),
  platform: z.string().nullable(),
  locations: z.array(z.object({ repository: z.string(), tags: z.array(z.string()), pushedAt: z.string() })),
  scan,
});
const imagePage = z.object({ images: z.array(image), nextCursor: z.string().nullable() });
const imageDetail = image.extend({
  distribution: z.object({ prettyName: z.string() }).nullable(),
  packages: z.array(z.unknown()),
  findings: z.array(
    z.object({
      id: z.string(),
      severity: z.enum(SEVERITIES),
      package: z.string(),
      installed: z.string(),
      fixed: z.string().nullable(),
      exploited: z.boolean(),
      layer: z.number(),
      path: z.string(),
      title: z.string(),
    }),
  ),
  problems: z.array(z.object({ code: z.string(), message: z.string(), path: z.string().nullable() })),
  children: z.array(z.object({ digest: z.string(), platform: z.string().nullable(), present: z.boolean() })),
});
type Image = z.infer<typeof image>;
type Scan = z.infer<typeof scan>;

export function pageRoutes({
  version,
  registryAddress,
}: Pick<ServerContext, 'version' | 'registryAddress'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/',
      { schema: { hide: true, querystring: z.object({ cursor: z.string().max(500).optional() }) } },
      async (request, reply) => {
        const { cursor } = request.query;
        const query = new URLSearchParams({
          limit: String(IMAGES_SHOWN),
          ...(cursor === undefined ? {} : { cursor }),
        });
        const answer = await ask(app, request, `/api/v1/images?${query.toString()}`);
        if (answer.status !== 200) return send(reply, answer.status, 'Images', failure(answer.body), version);
        const { images, nextCursor } = imagePage.parse(answer.body);
        const rows = images.map((item) => ({
          digest: item.digest,
          kind: item.kind,
          names: namesOf(item),
          pushedAt:
            item.locations
              .map((location) => location.pushedAt)
              .toSorted()
              .at(-1) ?? null,
          scan: { state: item.scan.status, reason: reasonOf(item.scan), counts: item.scan.counts ?? {} },
        }));
        const notices = [...new Set(images.flatMap((item) => noticesOf(item.scan)))].slice(0, 10);
        return send(
          reply,
          200,
          'Images',
          imageListBody({ images: rows, nextCursor, notices, registryAddress }),
          version,
        );
      },
    );
    app.get(
      '/images/:digest',
      { schema: { hide: true, params: z.object({ digest: z.string().max(200) }) } },
      async (request, reply) => {
        const { digest } = request.params;
        const answer = await ask(app, request, `/api/v1/images/${encodeURIComponent(digest)}`);
        if (answer.status !== 200) return send(reply, answer.status, 'Image', failure(answer.body), version);
        const found = imageDetail.parse(answer.body);
        const names = namesOf(found);
        const body = imageDetailBody({
          digest: found.digest,
          names,
          distribution: found.distribution?.prettyName ?? null,
          platform: found.platform,
          scan: {
            state: found.scan.status,
            reason: reasonOf(found.scan),
            finishedAt: found.scan.finishedAt,
            counts: found.scan.counts ?? {},
          },
          packages: found.scan.packageCount,
          advisories: advisoriesText(found.scan),
          notices: noticesOf(found.scan),
          findings: found.findings.slice(0, FINDINGS_SHOWN),
          more: Math.max(0, found.findings.length - FINDINGS_SHOWN),
          problems: found.problems,
          children: found.children,
        });
        return send(reply, 200, names[0] ?? found.digest.slice(0, 19), body, version);
      },
    );
  };
}

/** Asks our own API with the reader's credential: a page cannot show more than its reader may see. */
async function ask(
  app: FastifyInstance,
  request: FastifyRequest,
  url: string,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const { authorization } = request.headers;
  const response = await app.inject({
    method: 'GET',
    url,
    remoteAddress: request.ip,
    headers: authorization === undefined ? {} : { authorization },
  });
  return { status: response.statusCode, body: response.json<unknown>() };
}

async function send(
  reply: FastifyReply,
  status: number,
  title: string,
  body: Html,
  version: string,
): Promise<FastifyReply> {
  return reply
    .status(status)
    .header('content-security-policy', PAGE_POLICY)
    .type('text/html; charset=utf-8')
    .send(page(title, body, version));
}

function failure(body: unknown): Html {
  const parsed = z
    .object({ error: z.object({ code: z.string(), message: z.string(), hint: z.string() }) })
    .safeParse(body);
  if (!parsed.success) return html`<p>The page could not be made.</p>`;
  const { code, message, hint } = parsed.data.error;
  return html`<p>${message}</p><p>${hint}</p><p class="quiet">${code}</p>`;
}

function namesOf(item: Pick<Image, 'locations' | 'digest'>): readonly string[] {
  return item.locations.flatMap(({ repository, tags }) =>
    tags.length === 0
      ? [`${repository}@${item.digest.slice(0, 19)}…`]
      : tags.map((tag) => `${repository}:${tag}`),
  );
}

function reasonOf(item: Scan): string | null {
  return item.error?.message ?? item.reason;
}

/** An unfinished scan has nothing to say about its advisories yet. */
function noticesOf({ advisories: used }: Scan): readonly string[] {
  if (used === null) return [];
  if (used.kind !== 'starter' || used.notices.some((notice) => notice.includes('starter advisories')))
    return used.notices;
  return [`starter advisories: ${used.advisories} entries; run advisories update`, ...used.notices];
}

function advisoriesText({ advisories: used }: Scan): string | null {
  if (used === null) return null;
  const name = used.kind === 'starter' ? 'starter set' : 'file';
  return `${name} of ${used.advisories} entries, ${Math.round(used.ageHours)} h old at the scan, ${used.digest}`;
}
