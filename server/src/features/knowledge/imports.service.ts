import { randomUUIDv7 } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import type { Logger } from 'pino';
import { notFound } from '../../errors.ts';
import { once, type Idempotency } from '../../platform/database/idempotency.ts';
import {
  isUnavailable,
  tookTooLong,
  transaction,
  violates,
} from '../../platform/database/transaction.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { ImportedArticle, Tables } from '../../tables.ts';
import type { Actor } from '../auth/actor.ts';
import { refuseRepeated } from './imports.repeated.ts';
import * as repository from './imports.repository.ts';
import type { ImportItem, ImportRow, WaitingItem } from './imports.repository.ts';
import { analyse } from './index.repository.ts';
import * as articles from './knowledge.repository.ts';
import type { ArticleRow } from './knowledge.repository.ts';
import { importQueue } from './knowledge.queues.ts';
import type { Publisher, Save } from './publish.ts';

export type { ImportItem } from './imports.repository.ts';

export type ImportView = Pick<ImportRow, 'id' | 'total' | 'created_at' | 'ended_at'> & {
  status: 'running' | 'completed';
  done: number;
  skipped: number;
  failed: number;
  errors: { path: string; message: string }[];
};

const errorsShownMax = 100;
const itemsPerStatement = 100;
const keptDays = 30;
/** Far longer than an import takes, with all its further tries. */
const givenUpAfterHours = 24;
const givenUp = 'The import has not come to an end within a day.';

export type ImportsService = ReturnType<typeof createImportsService>;

/** Imports of many articles at once, done in the background, each article on its own. */
export function createImportsService(dependencies: {
  db: Kysely<Tables>;
  jobs: Jobs;
  publisher: Publisher;
  logger: Logger;
}) {
  const { db, jobs, publisher, logger } = dependencies;

  return {
    /** Stores all items and leaves the work to a job; those that are no articles have failed at once. */
    async create(
      actor: Actor,
      items: readonly ImportItem[],
      idempotency: Idempotency | undefined,
    ): Promise<{ created: ImportView; replayed: boolean }> {
      const { body, replayed } = await transaction(db, (db) =>
        once(db, actor.id, idempotency, async () => {
          const importId = await insert(db, actor, items);
          await jobs.send(db, importQueue, { importId });
          return { importId };
        }),
      );
      return { created: await get(body.importId), replayed };
    },

    get: (_actor: Actor, id: string): Promise<ImportView> => get(id),

    /** Works through what waits. It may run twice at once: no item is done twice. */
    async run(id: string, { signal }: { signal: AbortSignal }): Promise<void> {
      const row = await repository.find(db, id);
      if (!row) return;
      let ordinal = -1;
      for (;;) {
        signal.throwIfAborted();
        const item = await repository.findNext(db, id, ordinal);
        if (!item) break;
        await importItem(row.created_by, item);
        ordinal = item.ordinal;
      }
      await repository.end(db, id);
      await analyse(db);
    },

    /** Ends what no job gets to its end, and forgets what ended long ago. */
    async cleanUp(): Promise<void> {
      await transaction(db, (db) => repository.giveUp(db, givenUpAfterHours, givenUp));
      await repository.removeEnded(db, keptDays);
    },
  };

  async function insert(
    db: Transaction<Tables>,
    actor: Actor,
    items: readonly ImportItem[],
  ): Promise<string> {
    const id = randomUUIDv7();
    const distinct = refuseRepeated(items);
    await repository.insert(db, { id, createdBy: actor.id, total: items.length });
    for (let from = 0; from < distinct.length; from += itemsPerStatement) {
      const some = distinct.slice(from, from + itemsPerStatement);
      await repository.insertItems(db, id, some, from);
    }
    return id;
  }

  async function get(id: string): Promise<ImportView> {
    const row = await repository.find(db, id);
    if (!row) throw notFound();
    const { done = 0, skipped = 0, failed = 0 } = await repository.countItems(db, id);
    return {
      id,
      status: row.ended_at ? 'completed' : 'running',
      total: row.total,
      done,
      skipped,
      failed,
      errors: failed === 0 ? [] : await repository.listFailures(db, id, errorsShownMax),
      created_at: row.created_at,
      ended_at: row.ended_at,
    };
  }

  async function importItem(authorId: string, item: WaitingItem): Promise<void> {
    try {
      // Each further try is because somebody else has changed the article: it ends.
      while (!(await tryItem(authorId, item)));
    } catch (error) {
      // What is too much for one statement is so every time; the others must not wait for it.
      if (isUnavailable(error) && !tookTooLong(error)) throw error;
      logger.error({ error, import: item.import_id, item: item.ordinal }, 'An item failed.');
      await repository.finishItem(db, item, 'failed', 'It could not be stored; the log says why.');
    }
  }

  /** The article and the mark of its item commit together. False: the article changed meanwhile. */
  async function tryItem(authorId: string, item: WaitingItem): Promise<boolean> {
    const { article } = item;
    const seen = await articles.findBySource(db, article.source);
    if (seen && isSame(seen, article)) {
      await repository.finishItem(db, item, 'skipped');
      return true;
    }
    try {
      return await publisher.write(article, async (db, save) => {
        if (!(await repository.lockWaiting(db, item))) return true;
        if (!(await saveOnTopOf(db, seen, article, authorId, save))) return false;
        await repository.finishItem(db, item, 'done');
        return true;
      });
    } catch (error) {
      if (violates(error, 'articles_source_key')) return false;
      throw error;
    }
  }
}

async function saveOnTopOf(
  db: Transaction<Tables>,
  seen: ArticleRow | undefined,
  article: ImportedArticle,
  authorId: string,
  save: Save,
): Promise<boolean> {
  const before = seen && (await articles.lock(db, seen.id));
  if (before?.version !== seen?.version) return false;
  await save(authorId, before, article);
  return true;
}

const isSame = (row: ArticleRow, article: ImportedArticle): boolean =>
  row.title === article.title &&
  row.body === article.body &&
  row.audience === article.audience &&
  row.status === article.status &&
  row.tags.join('\n') === article.tags.join('\n');
