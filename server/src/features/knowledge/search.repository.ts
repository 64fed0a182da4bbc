import { sql, type Kysely } from 'kysely';
import type { Tables } from '../../tables.ts';
import { visibleArticles, type Reader } from './knowledge.repository.ts';

/** A chunk that was found, with its article's data and its BM25 score. */
export type Passage = {
  chunk_id: string;
  article_id: string;
  version: number;
  title: string;
  heading: string;
  content: string;
  score: number;
};

/** BM25's saturation of term frequency and weight of document length, at their usual values. */
const k1 = 1.2;
const b = 0.75;

/** The best passages for a text, by BM25 over its lexemes, of what the reader may read. */
export async function search(
  db: Kysely<Tables>,
  reader: Reader,
  text: string,
  limit: number,
): Promise<Passage[]> {
  const { rows } = await sql<Passage>`
    with words as (select lexeme from unnest(to_tsvector('english', ${text}))),
    totals as (
      select chunks, length::float8 / greatest(chunks, 1) as average_length from knowledge_totals
    ),
    scores as (
      select term.chunk_id, sum(
        ln(1 + (totals.chunks - lexemes.chunks + 0.5) / (lexemes.chunks + 0.5))
        * term.frequency * ${sql.lit(k1 + 1)} / (term.frequency + ${sql.lit(k1)}
          * (${sql.lit(1 - b)} + ${sql.lit(b)} * chunk.length / totals.average_length))
      ) as score
      from words
      join lexemes using (lexeme)
      join chunk_terms term using (lexeme)
      join article_chunks chunk on chunk.id = term.chunk_id
      cross join totals
      group by term.chunk_id
    )
    select scores.chunk_id, articles.id as article_id, articles.version, articles.title,
      chunk.heading, chunk.content, scores.score::float8 as score
    from scores
    join article_chunks chunk on chunk.id = scores.chunk_id
    join articles on articles.id = chunk.article_id
    where articles.status = 'published' and ${visibleArticles(reader)}
    order by scores.score desc, scores.chunk_id limit ${limit}`.execute(db);
  return rows;
}
