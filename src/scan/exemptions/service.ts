// Exemptions of the server: written with an audit record, and kept in step with the images that they name.
import {
  batches,
  type Clock,
  type ImageDirectory,
  type Randomness,
  type StoredImage,
} from '../../core/index.ts';
import type { AuditTrail, Database } from '../../store/index.ts';
import { scanErrors } from '../errors.ts';
import { exemptionScopeProblem, type ExemptionRule } from './exemption.ts';
import { matchesGlob } from './glob.ts';
import {
  deleteExemption,
  findExemption,
  imagePatterns,
  writeExemption,
  writeExemptionImages,
  type StoredExemption,
} from './store.ts';

const IMAGES_AT_ONCE = 200;

export interface ExemptionServiceOptions {
  readonly db: Database;
  readonly audit: AuditTrail;
  readonly directory: ImageDirectory;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** Who changes an exemption, for the audit trail. */
export interface ExemptionAuthor {
  readonly actor: string;
  /** Socket peer address. */
  readonly address: string | null;
}

/** Creates, replaces and deletes exemptions. All of them throw SCAN_EXEMPTION_UNKNOWN or SCAN_EXEMPTIONS_INVALID. */
export class ExemptionService {
  readonly #options: ExemptionServiceOptions;

  constructor(options: ExemptionServiceOptions) {
    this.#options = options;
  }

  async get(id: string): Promise<StoredExemption> {
    const found = await findExemption(this.#options.db, id);
    if (found === undefined) throw scanErrors.create('SCAN_EXEMPTION_UNKNOWN', { id });
    return found;
  }

  async create(rule: ExemptionRule, author: ExemptionAuthor): Promise<StoredExemption> {
    const id = this.#options.randomness.uuid();
    await this.#write(id, rule, author, false);
    return this.get(id);
  }

  async replace(id: string, rule: ExemptionRule, author: ExemptionAuthor): Promise<StoredExemption> {
    await this.#write(id, rule, author, true);
    return this.get(id);
  }

  async delete(id: string, author: ExemptionAuthor): Promise<void> {
    const { db, audit } = this.#options;
    await db.transaction().execute(async (transaction) => {
      if (!(await deleteExemption(transaction, id)))
        throw scanErrors.create('SCAN_EXEMPTION_UNKNOWN', { id });
      await audit.record(transaction, {
        action: 'exemption.delete',
        target: id,
        result: 'success',
        ...author,
      });
    });
  }

  async #write(id: string, rule: ExemptionRule, author: ExemptionAuthor, replace: boolean): Promise<void> {
    const reason = exemptionScopeProblem(rule);
    if (reason !== null) throw scanErrors.create('SCAN_EXEMPTIONS_INVALID', { file: 'the request', reason });
    const { db, audit, clock } = this.#options;
    const by = { actor: author.actor, now: new Date(clock.now()), replace };
    await db.transaction().execute(async (transaction) => {
      if (!(await writeExemption(transaction, id, rule, by)))
        throw scanErrors.create('SCAN_EXEMPTION_UNKNOWN', { id });
      const action = replace ? 'exemption.replace' : 'exemption.create';
      await audit.record(transaction, {
        action,
        target: id,
        result: 'success',
        ...author,
        detail: { ...rule },
      });
    });
    if (rule.image !== undefined) await this.#findImages(id, rule.image);
  }

  /** Every stored image is looked at once; until it is done, the exemption covers fewer images, never too many. */
  async #findImages(id: string, pattern: string): Promise<void> {
    const { db, directory } = this.#options;
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const page = await directory.list({
        limit: IMAGES_AT_ONCE,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const batch of batches(page.images)) {
        const images = batch.map((image) => ({ digest: image.digest, covered: fits(pattern, image) }));
        await db.transaction().execute((transaction) => writeExemptionImages(transaction, id, images));
      }
      cursor = page.nextCursor;
    }
  }
}

/** Call when an image got a name, so that exemptions with an image pattern cover it from then on, or not any more. */
export async function refreshExemptionsOf(db: Database, image: StoredImage): Promise<void> {
  for (const { id, image: pattern } of await imagePatterns(db)) {
    const images = [{ digest: image.digest, covered: fits(pattern, image) }];
    await db.transaction().execute((transaction) => writeExemptionImages(transaction, id, images));
  }
}

function fits(pattern: string, { digest, locations }: StoredImage): boolean {
  const names = locations.flatMap(({ repository, tags }) => [
    repository,
    ...tags.map((tag) => `${repository}:${tag}`),
  ]);
  return [digest, ...names].some((name) => matchesGlob(pattern, name));
}
