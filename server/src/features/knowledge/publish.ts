import { randomUUIDv7 } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import { transaction } from '../../platform/database/transaction.ts';
import type { Tables } from '../../tables.ts';
import { articleObject } from '../events/event-objects.ts';
import type { EventType } from '../events/event-types.ts';
import type { EventsService } from '../events/events.service.ts';
import { chunksOf } from './chunks.ts';
import * as index from './index.repository.ts';
import * as repository from './knowledge.repository.ts';
import type { ArticleFields, ArticleRow } from './knowledge.repository.ts';
import type { Language } from '../settings/settings.defaults.ts';

/** Writes the article as `fields` say, on top of its locked row, or as a new one. */
export type Save = (
  authorId: string,
  before: ArticleRow | undefined,
  fields: ArticleFields & { source?: string },
) => Promise<ArticleRow>;

type Staged = { chunks: index.Staging; language: Language };

export type Publisher = ReturnType<typeof createPublisher>;

/**
 * How an article gets into the index and out of it. The work of a publication happens before, in
 * chunks that no search finds; one short transaction makes them the article's. So searches go on
 * meanwhile, and a crash at any point leaves what was published before, whole.
 */
export function createPublisher(dependencies: {
  db: Kysely<Tables>;
  events: EventsService;
  /** The language that words are cut to their stems in. */
  language: () => Promise<Language>;
  /** Called in the transaction of everything that changes what is published. */
  onChange: (db: Transaction<Tables>) => Promise<void>;
}) {
  const { db, events, language, onChange } = dependencies;

  return {
    /**
     * Stages what `fields` publish, then runs `work` in one transaction. `work` locks the article,
     * looks whether it is still what `fields` were made from, and calls `save` at most once.
     */
    async write<Result>(
      fields: ArticleFields,
      work: (db: Transaction<Tables>, save: Save) => Promise<Result>,
    ): Promise<Result> {
      const staged = fields.status === 'published' ? await stage(fields) : undefined;
      const staging = staged?.chunks ?? [];
      let saved: { id: string; replaced: index.Staging } | undefined;
      let unused = staging;
      let result: Result;
      try {
        result = await transaction(db, async (db) => {
          saved = undefined;
          return work(db, async (authorId, before, fields) => {
            const article = await store(db, before, fields);
            await recordSaved(db, authorId, before, article);
            const replaced = await replacePublished(db, authorId, before, article, staging);
            saved = { id: article.id, replaced };
            return article;
          });
        });
        unused = saved?.replaced ?? staging;
      } finally {
        await discard(unused);
      }
      if (saved && staged && (await isStale(staged))) await reindex(saved.id);
      return result;
    },

    /** Writes a new article that nobody finds yet, in the caller's transaction. */
    async draft(
      db: Transaction<Tables>,
      authorId: string,
      fields: Omit<ArticleFields, 'status'>,
    ): Promise<ArticleRow> {
      const article = await store(db, undefined, { ...fields, status: 'draft' });
      await recordSaved(db, authorId, undefined, article);
      return article;
    },

    /** Deletes an article, in one short transaction of which `find` is the first statement. */
    async remove(
      authorId: string,
      find: (db: Transaction<Tables>) => Promise<ArticleRow>,
    ): Promise<void> {
      const unused = await transaction(db, async (db) => {
        const article = await find(db);
        const chunks =
          article.published_version === null ? [] : await replaceChunks(db, article.id, null, []);
        await repository.remove(db, article.id);
        await record(db, 'article.removed', authorId, article);
        return chunks;
      });
      await discard(unused);
    },

    reindex,

    /** Deletes what processes that died have left behind. */
    async removeLeftOver({ signal }: { signal: AbortSignal }): Promise<void> {
      while (!signal.aborted) {
        const removed = await index.removeLeftOver(db, leftOverBatch);
        if (removed < leftOverBatch) return;
      }
    },
  };

  /** Indexes a published article anew, as it is: its language may have changed. */
  async function reindex(id: string): Promise<void> {
    for (;;) {
      const seen = await repository.find(db, id);
      if (!seen || seen.published_version === null) return;
      const staged = await stage(seen);
      const replaced = await transaction(db, async (db) => {
        const article = await repository.lock(db, id);
        if (article?.version !== seen.version) return undefined;
        return replaceChunks(db, id, article.published_version, staged.chunks);
      });
      await discard(replaced ?? staged.chunks);
      if (replaced && !(await isStale(staged))) return;
    }
  }

  async function stage({ title, body }: Pick<ArticleFields, 'title' | 'body'>): Promise<Staged> {
    const chunks = chunksOf(body);
    // A body of marks alone is found by its title.
    if (chunks.length === 0) chunks.push({ heading: '', content: title });
    const inLanguage = await language();
    return { chunks: await index.stage(db, inLanguage, title, chunks), language: inLanguage };
  }

  /**
   * Looked at behind the commit: a change of the language that commits later finds the article among
   * those that it has indexed anew.
   */
  async function isStale(staged: Staged): Promise<boolean> {
    return (await language()) !== staged.language;
  }

  async function replaceChunks(
    ...change: Parameters<typeof index.replaceChunks>
  ): Promise<index.Staging> {
    const replaced = await index.replaceChunks(...change);
    await onChange(change[0]);
    return replaced;
  }

  async function replacePublished(
    db: Transaction<Tables>,
    authorId: string,
    before: ArticleRow | undefined,
    article: ArticleRow,
    staging: index.Staging,
  ): Promise<index.Staging> {
    const { id, published_version: published } = article;
    if (published === null && (before?.published_version ?? null) === null) return [];
    const replaced = await replaceChunks(db, id, published, staging);
    if (published !== null) {
      await repository.insertVersion(db, article, authorId);
      await record(db, 'article.published', authorId, article);
    }
    return replaced;
  }

  async function recordSaved(
    db: Transaction<Tables>,
    authorId: string,
    before: ArticleRow | undefined,
    article: ArticleRow,
  ): Promise<void> {
    if (before) await record(db, 'article.updated', authorId, article, articleObject(before));
    else await record(db, 'article.created', authorId, article);
  }

  async function record(
    db: Transaction<Tables>,
    type: EventType & `article.${string}`,
    authorId: string,
    article: ArticleRow,
    previous?: Record<string, unknown>,
  ): Promise<void> {
    const actor = { type: 'agent' as const, id: authorId };
    const data = articleObject(article);
    await events.record(db, { type, actor, subjectId: article.id, data, previous });
  }

  /** What this does not get done, the periodic clean-up does: the publication has happened. */
  async function discard(chunks: index.Staging): Promise<void> {
    if (chunks.length > 0) await index.removeChunks(db, chunks).catch(() => undefined);
  }
}

const leftOverBatch = 200;

function store(
  db: Transaction<Tables>,
  before: ArticleRow | undefined,
  fields: ArticleFields & { source?: string },
): Promise<ArticleRow> {
  const publishes = fields.status === 'published';
  const version = (before?.version ?? 0) + 1;
  const row = {
    ...fields,
    version,
    published_version: publishes ? version : null,
    published_at: before?.published_at ?? (publishes ? new Date() : null),
  };
  return before
    ? repository.update(db, before.id, row)
    : repository.insert(db, { ...row, id: randomUUIDv7() });
}
