// The SQL of the layer cache: encoded layer results by the digest of the stored blob. Never decoded in the server.
import { sql } from 'kysely';
import type { Clock } from '../core/index.ts';
import type { Database } from '../store/index.ts';
import type { LayerBytes } from './layer-cache.ts';

/** A larger result is not worth a row; its layer is read again. */
const MAX_ROW_BYTES = 16 * 1024 * 1024;

/** Layer results in the database. */
export function storedLayerBytes(db: Database, clock: Clock): LayerBytes {
  return {
    async get(blobDigest) {
      const { rows } = await sql<{ readonly bytes: Buffer }>`
        select bytes from scan_layer_result where blob_digest = ${blobDigest}`.execute(db);
      return rows[0]?.bytes;
    },
    async put(blobDigest, bytes) {
      if (bytes.length > MAX_ROW_BYTES) return;
      await sql`
        insert into scan_layer_result (blob_digest, bytes, created_at)
        values (${blobDigest}, ${Buffer.from(bytes)}, ${new Date(clock.now())})
        on conflict (blob_digest) do update set bytes = excluded.bytes, created_at = excluded.created_at`.execute(
        db,
      );
    },
  };
}
