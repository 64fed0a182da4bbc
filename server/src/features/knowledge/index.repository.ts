import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely, type RawBuilder, type Transaction } from 'kysely';
import type { Tables } from '../../tables.ts';
import type { Chunk } from './chunks.ts';
import type { Language } from '../settings/settings.defaults.ts';

/** Ids of chunks that are written but belong to no article yet: no search finds them. */
export type Staging = readonly string[];

/** Titles and headings say what a text is about: their words count this often. */
const headingWeight = 3;

/** Chunks a statement: about 50 ms of work, behind which other statements get their turn. */
const batchSize = 40;

/** How long a staging may take before it counts as left behind by a process that died. */
const stagingMinutesMax = 60;

/** Writes chunks and their terms, invisible, in short statements of their own. */
export async function stage(
  db: Kysely<Tables>,
  language: Language,
  title: string,
  chunks: readonly Chunk[],
): Promise<Staging> {
  const ids = chunks.map(() => randomUUIDv7());
  for (let from = 0; from < chunks.length; from += batchSize) {
    const to = from + batchSize;
    await stageBatch(db, language, title, chunks.slice(from, to), ids.slice(from, to), from);
  }
  return ids;
}

const stageBatch = (
  db: Kysely<Tables>,
  language: Language,
  title: string,
  chunks: readonly Chunk[],
  ids: readonly string[],
  from: number,
) =>
  sql`
  with chunk as (
    select * from unnest(${ids}::uuid[], ${chunks.map((_, at) => from + at)}::int[],
      ${chunks.map(({ heading }) => heading)}::text[], ${chunks.map(({ content }) => content)}::text[]
    ) as chunk (id, ordinal, heading, content)
  ),
  term as (
    select id, lexeme, sum(frequency)::int as frequency from (
      select chunk.id, word.lexeme, cardinality(word.positions) as frequency
      from chunk, unnest(to_tsvector(${sql.lit(language)}::regconfig, chunk.content)) word
      union all
      select chunk.id, word.lexeme, ${sql.lit(headingWeight)} * cardinality(word.positions)
      from chunk, unnest(to_tsvector(${sql.lit(language)}::regconfig, ${title}::text || ' ' || chunk.heading)) word
    ) word group by id, lexeme
  ),
  staged as (
    insert into article_chunks (id, ordinal, heading, content, length)
    select id, ordinal, heading, content, coalesce(
      (select sum(frequency) from term where term.id = chunk.id), 0)
    from chunk
  )
  insert into chunk_terms (lexeme, chunk_id, frequency)
  select lexeme, id, frequency from term`.execute(db);

/**
 * Puts staged chunks into the index as the article's `version` and takes those that were there out
 * of it; `version` null takes the article out. Chunks that have an article are counted in the
 * statistics, those that have none are not, at every commit. The caller has locked the article's
 * row; the row of totals is locked second, so that publications queue up instead of deadlocking.
 * Returns the ids of what was taken out.
 */
export async function replaceChunks(
  db: Transaction<Tables>,
  articleId: string,
  version: number | null,
  staging: Staging,
): Promise<Staging> {
  const removed = await relabel(db, sql`article_id = ${articleId}`, null, null);
  const added = await relabel(
    db,
    sql`article_id is null and id = any(${staging}::uuid[])`,
    articleId,
    version,
  );
  if (added.length < staging.length) throw new Error('The staged chunks have expired.');
  // Arrays of ids, not joins: with them the planner needs no statistics to choose the index, and a
  // table that has just been filled has none.
  const changed = [...removed, ...added];
  await sql`
    update knowledge_totals set version = knowledge_totals.version + 1,
      chunks = knowledge_totals.chunks + change.chunks,
      length = knowledge_totals.length + change.length
    from (
      select coalesce(sum(sign), 0) as chunks, coalesce(sum(sign * length), 0) as length from (
        select length, ${signOf(sql`id`, added)} as sign from article_chunks
        where id = any(${changed}::uuid[])) chunk
    ) change`.execute(db);
  await sql`
    insert into lexemes (lexeme, chunks)
    select lexeme, sum(sign) from (
      select lexeme, ${signOf(sql`chunk_id`, added)} as sign from chunk_terms
      where chunk_id = any(${changed}::uuid[])) term
    group by lexeme having sum(sign) <> 0
    on conflict (lexeme) do update set chunks = lexemes.chunks + excluded.chunks`.execute(db);
  if (removed.length > 0) {
    await sql`
      delete from lexemes where chunks <= 0 and lexeme in (
        select lexeme from chunk_terms where chunk_id = any(${removed}::uuid[]))`.execute(db);
  }
  return removed;
}

const signOf = (id: RawBuilder<unknown>, added: Staging): RawBuilder<number> =>
  sql`case when ${id} = any(${added}::uuid[]) then 1 else -1 end`;

async function relabel(
  db: Transaction<Tables>,
  condition: RawBuilder<unknown>,
  articleId: string | null,
  version: number | null,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    update article_chunks set article_id = ${articleId}, version = ${version}
    where ${condition} returning id`.execute(db);
  return rows.map(({ id }) => id);
}

/** Lets the planner know of many new rows; the embedded database does not look by itself. */
export const analyse = (db: Kysely<Tables>) =>
  sql`analyze articles, article_chunks, chunk_terms, lexemes`.execute(db);

/** Deletes those of the chunks that are in no article. */
export const removeChunks = (db: Kysely<Tables>, ids: Staging) =>
  sql`delete from article_chunks where article_id is null and id = any(${ids}::uuid[])`.execute(db);

/** Deletes up to `limit` chunks that a process has left behind. Returns how many there were. */
export async function removeLeftOver(db: Kysely<Tables>, limit: number): Promise<number> {
  const { rows } = await sql`
    delete from article_chunks where id in (
      select id from article_chunks where article_id is null
        and staged_at < now() - make_interval(mins => ${sql.lit(stagingMinutesMax)}) limit ${limit}
    ) returning id`.execute(db);
  return rows.length;
}
