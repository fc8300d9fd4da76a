// The backup file, format 1: magic, header, compressed sections, index, digest over everything before it.
import { z } from 'zod';
import { GiB, MiB } from '../core/index.ts';

/*
  bytes 0–15   magic
  4 + 4        format version, length of the header
  …            header: JSON
  …            sections: one zstd stream each; a table's rows as lines of JSON arrays, or all objects
  …            index: JSON, says where each section is and what it holds
  4            length of the index
  32           SHA-256 of everything before it
  8            end magic
  All numbers are big endian. A reader that knows a lower version than the file's refuses it before anything else.
*/
export const MAGIC = Buffer.from('BREAKWATERBACKUP', 'latin1');
export const END_MAGIC = Buffer.from('BWBKEND\n', 'latin1');
export const FORMAT = 1;
export const PREFIX_BYTES = MAGIC.length + 8;
export const DIGEST_BYTES = 32;
export const FOOTER_BYTES = 4 + DIGEST_BYTES + END_MAGIC.length;

/** Limits for reading foreign files. */
export const MAX_HEADER_BYTES = MiB;
export const MAX_INDEX_BYTES = 16 * MiB;
/** One row as JSON. */
export const MAX_LINE_BYTES = 64 * MiB;
export const MAX_OBJECT_BYTES = 1_024 * GiB;

/** An object in the object section: id in ASCII, size, bytes, SHA-256 of the bytes. */
export const OBJECT_ID_BYTES = 32;
export const OBJECT_HEAD_BYTES = OBJECT_ID_BYTES + 8;

const name = z.string().min(1).max(63);
const count = z.int().nonnegative();

export const headerSchema = z.object({
  createdAt: z.iso.datetime(),
  contents: z.enum(['metadata', 'metadata and blobs']),
  migrations: z.array(z.string().max(200)).max(10_000),
});
export type BackupHeader = z.infer<typeof headerSchema>;

const sectionSchema = z.object({ offset: count, length: count });

const tableSchema = sectionSchema.extend({
  name,
  columns: z
    .array(z.object({ name, type: z.string().min(1).max(200) }))
    .min(1)
    .max(1_600),
  rows: count,
});
export type BackupTable = z.infer<typeof tableSchema>;

export const indexSchema = z.object({
  tables: z.array(tableSchema).max(10_000),
  objects: sectionSchema.extend({ count, bytes: count, missing: count }).nullable(),
});
export type BackupIndex = z.infer<typeof indexSchema>;

/** A row: each column as PostgreSQL's text, or null. */
export type BackupRow = readonly (string | null)[];
