import type { Kysely, Transaction } from 'kysely';
import { AppError, notFound } from '../../errors.ts';
import { once, type Idempotency } from '../../platform/database/idempotency.ts';
import { decodeCursor, pageOf, type Page } from '../../platform/database/page.ts';
import { requireVersion, type IfMatch } from '../../platform/database/version.ts';
import type { ArticleStatus, Audience, Tables } from '../../tables.ts';
import type { Actor } from '../auth/actor.ts';
import type { SettingsService } from '../settings/settings.service.ts';
import * as repository from './knowledge.repository.ts';
import type {
  ArticleFields,
  ArticleRow,
  ArticleVersionRow,
  Reader,
} from './knowledge.repository.ts';
import type { Publisher } from './publish.ts';
import type { Retrieval } from './retrieval.ts';
import { highlight, type Passage, type SnippetPart } from './search.repository.ts';

export type { Retrieved } from './retrieval.ts';
export type { Passage } from './search.repository.ts';

export type ArticleInput = {
  title: string;
  body: string;
  tags?: string[];
  audience?: Audience;
  status?: ArticleStatus;
};

/** A search result, with the place that the words of the question were found at. */
export type FoundPassage = Passage & { snippet: SnippetPart[] };

export type KnowledgeService = ReturnType<typeof createKnowledgeService>;

export function createKnowledgeService(dependencies: {
  db: Kysely<Tables>;
  publisher: Publisher;
  retrieval: Retrieval;
  settings: SettingsService;
}) {
  const { db, publisher, retrieval, settings } = dependencies;

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
    async search(reader: Reader, text: string, limit: number): Promise<FoundPassage[]> {
      const { language } = await settings.get();
      const request = { texts: [text], limit, tokenBudget: Infinity, language };
      const { passages } = await retrieval.retrieve(reader, request);
      const contents = passages.map(({ content }) => content);
      const snippets = await highlight(db, text, contents, language);
      return passages.map((passage, at) => ({ ...passage, snippet: snippets[at] ?? [] }));
    },

    /** What an answer is written from, with the evidence for it. */
    retrieve: retrieval.retrieve,

    async create(actor: Actor, input: ArticleInput): Promise<ArticleRow> {
      return (await createOnce(actor, input, undefined)).article;
    },

    createOnce,

    /** Writes a public draft in the caller's transaction. */
    draft: (
      db: Transaction<Tables>,
      actor: Actor,
      text: { title: string; body: string },
    ): Promise<ArticleRow> =>
      publisher.draft(db, actor.id, { ...text, tags: [], audience: 'public' }),

    async update(
      actor: Actor,
      id: string,
      input: Partial<ArticleInput>,
      ifMatch: IfMatch,
    ): Promise<ArticleRow> {
      for (;;) {
        const seen = await getAny(id);
        requireVersion(seen, ifMatch);
        const fields = fieldsOf({ ...seen, ...input });
        // What readers see now may change only by somebody who may publish.
        const publishes = seen.status === 'published' || fields.status !== seen.status;
        requirePublisher(actor, publishes);
        const article = await publisher.write(fields, async (db, save) => {
          const before = await repository.lock(db, id);
          return before?.version === seen.version ? save(actor.id, before, fields) : undefined;
        });
        // Otherwise somebody else's change went through meanwhile: this one goes on top of it.
        if (article) return article;
      }
    },

    remove(actor: Actor, id: string, ifMatch: IfMatch): Promise<void> {
      return publisher.remove(actor.id, async (db) => {
        const article = await repository.lock(db, id);
        if (!article) throw notFound();
        requireVersion(article, ifMatch);
        return article;
      });
    },

    /** What was published as a version, for as long as the article exists. */
    async getVersion(_actor: Actor, id: string, version: number): Promise<ArticleVersionRow> {
      const found = await repository.findVersion(db, id, version);
      if (!found) throw notFound();
      return found;
    },

    /** Indexes everything that is published in the language that is set now. */
    async reindex({ signal }: { signal: AbortSignal }): Promise<void> {
      for (const id of await repository.listPublishedIds(db)) {
        signal.throwIfAborted();
        await publisher.reindex(id);
      }
    },

    /** Deletes what publications that were broken off have left behind. */
    cleanUp: (context: { signal: AbortSignal }): Promise<void> => publisher.removeLeftOver(context),
  };

  /** With a key, the same request again returns what the first one made (`replayed`). */
  async function createOnce(
    actor: Actor,
    input: ArticleInput,
    idempotency: Idempotency | undefined,
  ): Promise<{ article: ArticleRow; replayed: boolean }> {
    const fields = fieldsOf({ tags: [], audience: 'public', status: 'draft', ...input });
    requirePublisher(actor, fields.status !== 'draft');
    const { body, replayed } = await publisher.write(fields, (db, save) =>
      once(db, actor.id, idempotency, async () => {
        const { id } = await save(actor.id, undefined, fields);
        return { articleId: id };
      }),
    );
    return { article: await getAny(body.articleId), replayed };
  }

  async function getAny(id: string): Promise<ArticleRow> {
    const article = await repository.find(db, id);
    if (!article) throw notFound();
    return article;
  }
}

const fieldsOf = ({ title, body, tags, audience, status }: ArticleFields): ArticleFields => ({
  title,
  body,
  tags: [...new Set(tags)],
  audience,
  status,
});

/** Agents write drafts; what customers read is an admin's decision. */
function requirePublisher(actor: Actor, publishes: boolean): void {
  if (publishes && actor.role !== 'admin') {
    throw new AppError('forbidden', 'Only admins publish, archive and delete articles.');
  }
}
