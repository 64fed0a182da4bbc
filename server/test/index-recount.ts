import { sql, type Kysely } from 'kysely';
import { expect } from 'vitest';
import type { Tables } from '../src/tables.ts';

/** What the search index says of itself must be what counting it from scratch says. */
export async function expectExactIndex(db: Kysely<Tables>): Promise<void> {
  const kept = await sql`select chunks, length::int as length from knowledge_totals`.execute(db);
  const counted = await sql`
    select count(*)::int as chunks, coalesce(sum(length), 0)::int as length
    from article_chunks where article_id is not null`.execute(db);
  expect(kept.rows).toEqual(counted.rows);

  const lexemes = await sql`select lexeme, chunks from lexemes order by lexeme collate "C"`.execute(
    db,
  );
  const terms = await sql`
    select term.lexeme, count(*)::int as chunks from chunk_terms term
    join article_chunks chunk on chunk.id = term.chunk_id where chunk.article_id is not null
    group by term.lexeme order by term.lexeme collate "C"`.execute(db);
  expect(lexemes.rows).toEqual(terms.rows);

  const lengths = await sql`
    select chunk.id from article_chunks chunk where chunk.length is distinct from (
      select coalesce(sum(frequency), 0) from chunk_terms where chunk_id = chunk.id)`.execute(db);
  expect(lengths.rows).toEqual([]);

  const foreign = await sql`
    select chunk.id from article_chunks chunk left join articles on articles.id = chunk.article_id
    where chunk.article_id is not null
      and articles.published_version is distinct from chunk.version`.execute(db);
  expect(foreign.rows).toEqual([]);
}

/** Chunks that are in no article: what a publication leaves that was broken off. */
export async function countStaged(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from article_chunks where article_id is null`.execute(db);
  return rows[0]?.count ?? 0;
}
