// JSON Schema (draft 2020-12) of `-o json`, made from the schema that reports are checked with; kept in docs/.
import { z } from 'zod';
import { reportSchema } from './report-schema.ts';

/** The document of `docs/report.schema.json`: one report, or a list of them when an index has several platforms. */
export function reportJsonSchema(): object {
  const { $schema, ...report } = z.toJSONSchema(reportSchema, { target: 'draft-2020-12', io: 'output' });
  return {
    $schema,
    $id: 'https://breakwater.invalid/report.schema.json',
    title: 'Breakwater scan report, version 1',
    anyOf: [{ $ref: '#/$defs/report' }, { type: 'array', items: { $ref: '#/$defs/report' } }],
    $defs: { report },
  };
}
