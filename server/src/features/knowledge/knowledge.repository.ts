import {
  sql,
  type Insertable,
  type Kysely,
  type RawBuilder,
  type Selectable,
  type Transaction,
  type Updateable,
} from 'kysely';
import { behind, type Position } from '../../platform/database/page.ts';
import type { ArticlesTable, ArticleStatus, ArticleVersionsTable, Tables } from '../../tables.ts';
import { isStaff, type Actor } from '../auth/actor.ts';

export type ArticleRow = Selectable<ArticlesTable>;
export type ArticleVersionRow = Selectable<ArticleVersionsTable>;

/** Who reads: a customer, nobody in particular (an anonymous visitor), or staff. */
export type Reader = Actor | undefined;

/** The one rule of who reads an article. */
export const visibleArticles = (reader: Reader): RawBuilder<boolean> =>
  reader && isStaff(reader)
    ? sql<boolean>`true`
    : sql<boolean>`(articles.status = 'published' and articles.audience = 'public')`;

export const findVisible = (
  db: Kysely<Tables>,
  reader: Reader,
  id: string,
): Promise<ArticleRow | undefined> =>
  db
    .selectFrom('articles')
    .selectAll()
    .where('id', '=', id)
    .where(visibleArticles(reader))
    .executeTakeFirst();

export function list(
  db: Kysely<Tables>,
  reader: Reader,
  filter: { status?: ArticleStatus[] },
  page: { limit: number; after: Position | undefined },
): Promise<ArticleRow[]> {
  let query = db.selectFrom('articles').selectAll().where(visibleArticles(reader));
  if (filter.status) query = query.where(sql<boolean>`articles.status = any(${filter.status})`);
  if (page.after) {
    query = query.where(
      behind('articles.updated_at', 'articles.id', 'timestamptz', 'desc', page.after),
    );
  }
  return query
    .orderBy('updated_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
}

/** What an article is made of; the rest of its row follows from what is done with it. */
export type ArticleFields = Pick<ArticleRow, 'title' | 'body' | 'tags' | 'audience' | 'status'>;

export const find = (db: Kysely<Tables>, id: string): Promise<ArticleRow | undefined> =>
  db.selectFrom('articles').selectAll().where('id', '=', id).executeTakeFirst();

export const findBySource = (db: Kysely<Tables>, source: string): Promise<ArticleRow | undefined> =>
  db.selectFrom('articles').selectAll().where('source', '=', source).executeTakeFirst();

export const lock = (db: Transaction<Tables>, id: string): Promise<ArticleRow | undefined> =>
  db.selectFrom('articles').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();

export const insert = (
  db: Transaction<Tables>,
  article: Insertable<ArticlesTable>,
): Promise<ArticleRow> =>
  db.insertInto('articles').values(article).returningAll().executeTakeFirstOrThrow();

export const update = (
  db: Transaction<Tables>,
  id: string,
  changes: Updateable<ArticlesTable>,
): Promise<ArticleRow> =>
  db
    .updateTable('articles')
    .set({ ...changes, updated_at: sql<Date>`now()` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();

export const remove = (db: Transaction<Tables>, id: string) =>
  db.deleteFrom('articles').where('id', '=', id).execute();

export async function listPublishedIds(db: Kysely<Tables>): Promise<string[]> {
  const rows = await db
    .selectFrom('articles')
    .select('id')
    .where('published_version', 'is not', null)
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Keeps what is published now, so that it can still be read when the article has changed. */
export const insertVersion = (
  db: Transaction<Tables>,
  { id, version, title, body, tags, audience }: ArticleRow,
  createdBy: string,
) =>
  db
    .insertInto('article_versions')
    .values({ article_id: id, version, title, body, tags, audience, created_by: createdBy })
    .execute();

export const findVersion = (
  db: Kysely<Tables>,
  articleId: string,
  version: number,
): Promise<ArticleVersionRow | undefined> =>
  db
    .selectFrom('article_versions')
    .selectAll()
    .where('article_id', '=', articleId)
    .where('version', '=', version)
    .executeTakeFirst();
