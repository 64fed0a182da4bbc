import type { Kysely, Transaction } from 'kysely';
import { AppError, notFound } from '../../errors.ts';
import { decodeCursor, pageOf, type Page } from '../../platform/database/page.ts';
import { transaction } from '../../platform/database/transaction.ts';
import type { ArticleStatus, Audience, Tables } from '../../tables.ts';
import type { Actor } from '../auth/actor.ts';
import type { EventsService } from '../events/events.service.ts';
import { chunksOf } from './chunks.ts';
import * as repository from './knowledge.repository.ts';
import type { ArticleRow, Reader } from './knowledge.repository.ts';
import * as searchRepository from './search.repository.ts';
import type { Passage } from './search.repository.ts';

export type { Passage } from './search.repository.ts';

export type ArticleInput = {
  title: string;
  body: string;
  tags?: string[];
  audience?: Audience;
  status?: ArticleStatus;
};

/** Words of a question beyond this many characters add noise, not meaning. */
const queryLengthMax = 2_000;

export type KnowledgeService = ReturnType<typeof createKnowledgeService>;

export function createKnowledgeService(dependencies: {
  db: Kysely<Tables>;
  events: EventsService;
}) {
  const { db, events } = dependencies;

  return {
    async get(reader: Reader, id: string): Promise<ArticleRow> {
      const article = await repository.findVisible(db, reader, id);
      if (!article) throw notFound();
      return article;
    },

    async list(
      reader: Reader,
      input: { status?: ArticleStatus[]; limit: number; cursor: string | undefined },
    ): Promise<Page<ArticleRow>> {
      const { limit, cursor, ...filter } = input;
      const boundTo = ['articles', reader?.id ?? '', filter];
      const after = cursor === undefined ? undefined : decodeCursor(cursor, boundTo);
      const rows = await repository.list(db, reader, filter, { limit, after });
      return pageOf(rows, limit, boundTo, (row) => row.updated_at.toISOString());
    },

    /** The best passages for a text, best first; a text without known words finds nothing. */
    search: (reader: Reader, text: string, limit: number): Promise<Passage[]> =>
      searchRepository.search(db, reader, text.slice(0, queryLengthMax).toWellFormed(), limit),

    create(actor: Actor, input: ArticleInput): Promise<ArticleRow> {
      const status = input.status ?? 'draft';
      requirePublisher(actor, status !== 'draft');
      return transaction(db, async (db) => {
        const article = await repository.insert(db, {
          title: input.title,
          body: input.body,
          tags: [...new Set(input.tags ?? [])],
          audience: input.audience ?? 'public',
          status,
          published_at: status === 'published' ? new Date() : null,
        });
        if (status === 'published') await publish(db, actor, article);
        return article;
      });
    },

    update(
      actor: Actor,
      id: string,
      input: Partial<ArticleInput>,
      ifMatch: number | undefined,
    ): Promise<ArticleRow> {
      return transaction(db, async (db) => {
        const before = await repository.lock(db, id);
        if (!before) throw notFound();
        if (ifMatch !== undefined && ifMatch !== before.version) {
          throw new AppError('version-mismatch', 'The article has changed since you read it.', {
            details: { headers: { etag: `"${before.version}"` } },
          });
        }
        // What readers see now may change only by somebody who may publish.
        const status = input.status ?? before.status;
        requirePublisher(actor, before.status === 'published' || status !== before.status);
        if (before.status === 'published') await repository.unindex(db, id);
        const article = await repository.update(db, id, {
          ...input,
          version: before.version + 1,
          ...(status === 'published' && !before.published_at && { published_at: new Date() }),
        });
        if (article.status === 'published') await publish(db, actor, article);
        return article;
      });
    },

    remove(actor: Actor, id: string): Promise<void> {
      requirePublisher(actor, true);
      return transaction(db, async (db) => {
        const article = await repository.lock(db, id);
        if (!article) throw notFound();
        if (article.status === 'published') await repository.unindex(db, id);
        await repository.remove(db, id);
      });
    },
  };

  async function publish(
    db: Transaction<Tables>,
    actor: Actor,
    article: ArticleRow,
  ): Promise<void> {
    await repository.index(db, article, chunksOf(article.body));
    await events.record(db, {
      type: 'article.published',
      actor: { type: 'agent', id: actor.id },
      subjectId: article.id,
      data: { article_id: article.id, version: article.version, title: article.title },
    });
  }
}

/** Agents write drafts; what customers read is an admin's decision. */
function requirePublisher(actor: Actor, publishes: boolean): void {
  if (publishes && actor.role !== 'admin') {
    throw new AppError('forbidden', 'Only admins publish, archive and delete articles.');
  }
}
