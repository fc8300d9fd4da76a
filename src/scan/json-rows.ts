// Rows as one JSON parameter (`jsonb_to_recordset`): hundreds of rows in a statement without thousands of parameters.

/** JSON that PostgreSQL's jsonb takes: no NUL characters, no lone surrogates. */
export function databaseJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' ? part.replaceAll('\0', '').toWellFormed() : part,
  );
}

/** Text for a text column: no NUL characters, which PostgreSQL refuses. */
export function databaseText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}
