// REST API of scans, mounted at /api/v1: images with their scan status, packages, findings, scan on demand.
import type { FastifyPluginAsync } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { ImageDirectory } from '../core/index.ts';
import type { Database } from '../store/index.ts';
import { scanErrors } from './errors.ts';
import { findImage, listImages, type TellFreshness } from './images.ts';
import {
  digestParameters,
  findingPageSchema,
  findingsQuery,
  imagePageSchema,
  imageSchema,
  imagesQuery,
  packagePageSchema,
  pageQuery,
  reloadedSchema,
  requestedSchema,
  scanStatusSchema,
  secretPageSchema,
} from './routes-schemas.ts';
import { listSecrets } from './secrets/store.ts';
import type { ScanService } from './service.ts';
import { listFindings, listPackages } from './store-queries.ts';

export interface ScanRoutesOptions {
  readonly db: Database;
  readonly directory: ImageDirectory;
  readonly service: ScanService;
}

/** Fastify plugin; authentication has happened before its routes are reached. */
export const scanRoutes: FastifyPluginAsync<ScanRoutesOptions> = async (instance, options) => {
  const { db, directory, service } = options;
  const freshness: TellFreshness = (image, scans) => service.freshness(image, scans);
  const app = instance.withTypeProvider<ZodTypeProvider>();
  const required = async (digest: string): Promise<void> => {
    if ((await directory.find(digest)) === undefined)
      throw scanErrors.create('SCAN_IMAGE_UNKNOWN', { digest });
  };

  app.get(
    '/images',
    {
      schema: {
        operationId: 'listImages',
        summary: 'Stored images with their scan status, newest push first',
        tags: ['images'],
        querystring: imagesQuery,
        response: { 200: imagePageSchema },
      },
    },
    ({ query }) => listImages(db, directory, defined(query), freshness),
  );

  app.get(
    '/images/:digest',
    {
      schema: {
        operationId: 'getImage',
        summary: 'One image: where it is stored, its packages, its findings, its children',
        tags: ['images'],
        params: digestParameters,
        response: { 200: imageSchema },
      },
    },
    ({ params }) => findImage(db, directory, params.digest, freshness),
  );

  app.get(
    '/images/:digest/packages',
    {
      schema: {
        operationId: 'listImagePackages',
        summary: 'Packages of an image',
        tags: ['images'],
        params: digestParameters,
        querystring: pageQuery,
        response: { 200: packagePageSchema },
      },
    },
    async ({ params, query }) => {
      await required(params.digest);
      return listPackages(db, { image: params.digest, ...defined(query) });
    },
  );

  app.get(
    '/images/:digest/findings',
    {
      schema: {
        operationId: 'listImageFindings',
        summary: 'Findings of an image, most severe first',
        tags: ['images'],
        params: digestParameters,
        querystring: findingsQuery.omit({ image: true }),
        response: { 200: findingPageSchema },
      },
    },
    async ({ params, query }) => {
      await required(params.digest);
      const { severity: severities, ...rest } = query;
      return listFindings(db, { image: params.digest, ...defined({ ...rest, severities }) });
    },
  );

  app.get(
    '/images/:digest/secrets',
    {
      schema: {
        operationId: 'listImageSecrets',
        summary: 'Secrets in the layers and the configuration of an image, masked, most severe first',
        tags: ['images'],
        params: digestParameters,
        querystring: pageQuery,
        response: { 200: secretPageSchema },
      },
    },
    async ({ params, query }) => {
      await required(params.digest);
      return listSecrets(db, { image: params.digest, ...defined(query) });
    },
  );

  app.get(
    '/images/:digest/scan',
    {
      schema: {
        operationId: 'getScan',
        summary: 'Scan status of an image',
        tags: ['images'],
        params: digestParameters,
        response: { 200: scanStatusSchema },
      },
    },
    async ({ params }) => {
      const status = await service.status(params.digest);
      if (status === undefined) throw scanErrors.create('SCAN_IMAGE_UNKNOWN', { digest: params.digest });
      return status;
    },
  );

  app.post(
    '/images/:digest/scan',
    {
      schema: {
        operationId: 'scanImage',
        summary: 'Scan an image now',
        tags: ['images'],
        params: digestParameters,
        response: { 202: requestedSchema },
      },
    },
    async ({ params }, reply) => {
      const requested = await service.request(params.digest);
      if (requested === 'notFound') throw scanErrors.create('SCAN_IMAGE_UNKNOWN', { digest: params.digest });
      return reply.status(202).send(requested);
    },
  );

  app.post(
    '/advisories/reload',
    {
      schema: {
        operationId: 'reloadAdvisories',
        summary: 'Look at the advisory file now; stored images are matched again when it was replaced',
        tags: ['advisories'],
        response: { 200: reloadedSchema },
      },
    },
    () => service.reloadAdvisories(),
  );

  app.get(
    '/findings',
    {
      schema: {
        operationId: 'listFindings',
        summary: 'Findings of all images, most severe first',
        tags: ['findings'],
        querystring: findingsQuery,
        response: { 200: findingPageSchema },
      },
    },
    ({ query }) => {
      const { severity: severities, ...rest } = query;
      return listFindings(db, defined({ ...rest, severities }));
    },
  );
};

/** The same without its undefined members. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
