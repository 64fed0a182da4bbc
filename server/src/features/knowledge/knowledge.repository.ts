import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely, type RawBuilder, type Selectable, type Transaction } from 'kysely';
import { behind, type Position } from '../../platform/database/page.ts';
import type { ArticlesTable, ArticleStatus, Tables } from '../../tables.ts';
import { isStaff, type Actor } from '../auth/actor.ts';
import type { Chunk } from './chunks.ts';

export type ArticleRow = Selectable<ArticlesTable>;

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

export const insert = (
  db: Transaction<Tables>,
  article: Pick<ArticleRow, 'title' | 'body' | 'tags' | 'audience' | 'status' | 'published_at'>,
): Promise<ArticleRow> =>
  db
    .insertInto('articles')
    .values({ ...article, id: randomUUIDv7() })
    .returningAll()
    .executeTakeFirstOrThrow();

export const lock = (db: Transaction<Tables>, id: string): Promise<ArticleRow | undefined> =>
  db.selectFrom('articles').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();

export const update = (
  db: Transaction<Tables>,
  id: string,
  changes: Partial<
    Pick<ArticleRow, 'title' | 'body' | 'tags' | 'audience' | 'status' | 'published_at'>
  > & { version: number },
): Promise<ArticleRow> =>
  db
    .updateTable('articles')
    .set({ ...changes, updated_at: sql<Date>`now()` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();

export const remove = (db: Transaction<Tables>, id: string) =>
  db.deleteFrom('articles').where('id', '=', id).execute();

/** Titles and headings say what a text is about: their words count this often. */
const headingWeight = 3;

/**
 * Makes an article findable: its chunks, their terms, and the frequencies of the whole collection.
 * The row of totals is locked first, so that publications queue up instead of deadlocking.
 */
export async function index(
  db: Transaction<Tables>,
  article: ArticleRow,
  chunks: Chunk[],
): Promise<void> {
  await lockTotals(db);
  if (chunks.length === 0) return;
  await sql`
    insert into article_chunks (id, article_id, ordinal, heading, content, length)
    select *, 0 from unnest(${chunks.map(() => randomUUIDv7())}::uuid[],
      ${chunks.map(() => article.id)}::uuid[], ${chunks.map((_, at) => at)}::int[],
      ${chunks.map((chunk) => chunk.heading)}::text[], ${chunks.map((chunk) => chunk.content)}::text[])`.execute(
    db,
  );
  await sql`
    insert into chunk_terms (lexeme, chunk_id, frequency)
    select term.lexeme, term.id, sum(term.frequency) from (
      select chunk.id, word.lexeme, cardinality(word.positions) as frequency
      from article_chunks chunk, unnest(to_tsvector('english', chunk.content)) word
      where chunk.article_id = ${article.id}
      union all
      select chunk.id, word.lexeme, ${sql.lit(headingWeight)} * cardinality(word.positions)
      from article_chunks chunk,
        unnest(to_tsvector('english', ${article.title}::text || ' ' || chunk.heading)) word
      where chunk.article_id = ${article.id}
    ) term group by term.lexeme, term.id`.execute(db);
  await sql`
    update article_chunks set length = coalesce(
      (select sum(frequency) from chunk_terms where chunk_id = article_chunks.id), 0)
    where article_id = ${article.id}`.execute(db);
  await sql`
    insert into lexemes (lexeme, chunks)
    select lexeme, count(*) from chunk_terms
    join article_chunks on article_chunks.id = chunk_terms.chunk_id
    where article_id = ${article.id} group by lexeme
    on conflict (lexeme) do update set chunks = lexemes.chunks + excluded.chunks`.execute(db);
  await addToTotals(db, article.id, 1);
}

/** Takes an article out of the index again. */
export async function unindex(db: Transaction<Tables>, articleId: string): Promise<void> {
  await lockTotals(db);
  await addToTotals(db, articleId, -1);
  await sql`
    update lexemes set chunks = lexemes.chunks - gone.chunks from (
      select lexeme, count(*) as chunks from chunk_terms
      join article_chunks on article_chunks.id = chunk_terms.chunk_id
      where article_id = ${articleId} group by lexeme
    ) gone where gone.lexeme = lexemes.lexeme`.execute(db);
  await sql`delete from lexemes where chunks <= 0`.execute(db);
  await db.deleteFrom('article_chunks').where('article_id', '=', articleId).execute();
}

const lockTotals = (db: Transaction<Tables>) =>
  sql`select 1 from knowledge_totals for update`.execute(db);

const addToTotals = (db: Transaction<Tables>, articleId: string, sign: 1 | -1) =>
  sql`
  update knowledge_totals set chunks = knowledge_totals.chunks + ${sql.lit(sign)} * added.chunks,
    length = knowledge_totals.length + ${sql.lit(sign)} * added.length
  from (select count(*) as chunks, coalesce(sum(length), 0) as length
    from article_chunks where article_id = ${articleId}) added`.execute(db);
