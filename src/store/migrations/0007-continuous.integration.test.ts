// Packages that were stored for each image before groups came stay what and where they were.
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../testing.ts';
import { migration } from './0007-continuous.ts';
import { migrations } from './index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase({ migrated: false });
}, 120_000);
afterAll(() => database?.close());

describe('the migration to package groups', () => {
  it('keeps the packages of the shown result, and asks for a new scan', async () => {
    const { db } = database;
    const run = async (statements: readonly string[]): Promise<void> => {
      for (const statement of statements) await sql.raw(statement).execute(db);
    };
    for (const { name, statements } of migrations) if (name < migration.name) await run(statements);
    await run([
      `insert into scan_image (digest, status, trigger, requested_at, generation, package_generation, catalogers)
        values ('a', 'finished', 'push', now(), 2, 2, 'dpkg@1'), ('b', 'finished', 'push', now(), 1, 1, 'dpkg@1')`,
      `insert into scan_coordinate (key, kind, name, version, purl)
        select n, 'npm', n, '1', 'pkg:npm/' || n from unnest(array['x', 'y', 'z']) as n`,
      `insert into scan_image_package (image_digest, generation, ordinal, coordinate_id, layer, path, licenses)
        select image, generation, ordinal, (select id from scan_coordinate where name = package), layer, 'p', '["MIT"]'
        from (values ('a', 1, 0, 'z', 0), ('a', 2, 0, 'x', 1), ('a', 2, 1, 'y', 0), ('a', 2, 2, 'z', 1), ('b', 1, 0, 'x', 1))
          as old(image, generation, ordinal, package, layer)`,
    ]);
    await run(migration.statements);
    const { rows } = await sql`
      select g.image_digest as image, g.layer, c.name, p.licenses from scan_image i
      join scan_image_group g on g.image_digest = i.digest and g.generation = i.package_generation
      join scan_package_group_item p on p.group_id = g.group_id join scan_coordinate c on c.id = p.coordinate_id
      order by g.image_digest, g.position, p.ordinal`.execute(db);
    const licenses = ['MIT'];
    expect(rows).toEqual([
      { image: 'a', layer: 0, name: 'y', licenses },
      { image: 'a', layer: 1, name: 'x', licenses },
      { image: 'a', layer: 1, name: 'z', licenses },
      { image: 'b', layer: 1, name: 'x', licenses },
    ]);
    const { rows: outdated } = await sql`
      select digest from scan_image where catalogers is null and matched_epoch is null order by 1`.execute(
      db,
    );
    expect(outdated).toEqual([{ digest: 'a' }, { digest: 'b' }]);
  });
});
