import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { Tables } from '../../tables.ts';
import { isStaff } from '../auth/actor.ts';
import { visibleArticles, type Reader } from './knowledge.repository.ts';
import { defaultLanguage, type Language } from '../settings/settings.defaults.ts';
import type { VocabularyWord } from './spelling.ts';

/** A chunk that was found, with its article's data and its score. */
export type Passage = {
  chunk_id: string;
  article_id: string;
  version: number;
  title: string;
  heading: string;
  content: string;
  score: number;
};

/** A piece of a passage; `match`: it is a word of the question, in whatever form. */
export type SnippetPart = { text: string; match: boolean };

/** A lexeme of a question: the word it came from, that word's place, and how many chunks hold it. */
export type FoundTerm = { at: number; word: string; lexeme: string; chunks: number };

/** A question as the index sees it, with the size of the collection and its version. */
export type FoundTerms = {
  terms: FoundTerm[];
  chunks: number;
  averageLength: number;
  knowledgeVersion: number;
};

/** A lexeme with its positions in a text. */
export type FieldTerm = [lexeme: string, positions: number[]];

/** A passage with what the ranking must know of it. `score` is BM25. */
export type Candidate = Passage & {
  ordinal: number;
  /** Weighted number of lexemes. */
  length: number;
  title_terms: FieldTerm[];
  heading_terms: FieldTerm[];
  /** Only the lexemes that the question has too. */
  content_terms: FieldTerm[];
};

/** BM25's saturation of term frequency and weight of document length, at their usual values. */
const k1 = 1.2;
const b = 0.75;

const configuration = (language: Language): RawBuilder<unknown> =>
  sql`${sql.lit(language)}::regconfig`;

/** Looks no further than the first chunk: to count them all costs the more, the commoner the word. */
const isReadable = (reader: Reader): RawBuilder<unknown> =>
  reader && isStaff(reader)
    ? sql`true`
    : sql`(
        select true from chunk_terms
        join article_chunks chunk on chunk.id = chunk_terms.chunk_id
        join articles on articles.id = chunk.article_id
          and articles.published_version = chunk.version
        where chunk_terms.lexeme = lexemes.lexeme and ${visibleArticles(reader)}
        limit 1)`;

/**
 * What the index knows of the words of a question. Stop words have no lexeme and are left out. A
 * lexeme counts only when a chunk has it that the reader may read: nobody else learns that it is there.
 */
export async function findTerms(
  db: Kysely<Tables>,
  reader: Reader,
  words: readonly string[],
  language: Language = defaultLanguage,
): Promise<FoundTerms> {
  const { rows } = await sql<FoundTerms>`
    select totals.chunks, totals.length::float8 / greatest(totals.chunks, 1) as "averageLength",
      totals.version as "knowledgeVersion", found.terms
    from knowledge_totals totals cross join (
      select coalesce(json_agg(json_build_object('at', at, 'word', word, 'lexeme', term.lexeme,
        'chunks', case when ${isReadable(reader)} then coalesce(lexemes.chunks, 0) else 0 end)
        order by at, term.lexeme), '[]') as terms
      from unnest(${words}::text[]) with ordinality asked(word, at)
      cross join lateral unnest(to_tsvector(${configuration(language)}, word)) term
      left join lexemes on lexemes.lexeme = term.lexeme
    ) found`.execute(db);
  return rows[0] ?? { terms: [], chunks: 0, averageLength: 1, knowledgeVersion: 0 };
}

/**
 * The best chunks by BM25 of what the reader may read, each lexeme counting as much as its weight,
 * with the lexemes of their title, heading and text.
 */
export async function findCandidates(
  db: Kysely<Tables>,
  reader: Reader,
  weights: ReadonlyMap<string, number>,
  { limit, language = defaultLanguage }: { limit: number; language?: Language },
): Promise<Candidate[]> {
  const lexemes = [...weights.keys()];
  const config = configuration(language);
  const termsOf = (text: RawBuilder<unknown>, condition: RawBuilder<unknown>) => sql`(
    select coalesce(json_agg(json_build_array(lexeme, positions)), '[]')
    from unnest(to_tsvector(${config}, ${text})) where ${condition})`;
  const { rows } = await sql<Candidate>`
    with asked as (
      select * from unnest(${lexemes}::text[], ${[...weights.values()]}::float8[])
        as term(lexeme, weight)
    ),
    totals as (
      select length::float8 / greatest(chunks, 1) as average_length from knowledge_totals
    ),
    scores as (
      select term.chunk_id, sum(asked.weight * term.frequency * ${sql.lit(k1 + 1)}
        / (term.frequency + ${sql.lit(k1)}
          * (${sql.lit(1 - b)} + ${sql.lit(b)} * chunk.length / totals.average_length)))
        as score
      from asked
      join chunk_terms term using (lexeme)
      join article_chunks chunk on chunk.id = term.chunk_id
      join articles on articles.id = chunk.article_id
        and articles.published_version = chunk.version
      cross join totals
      where articles.status = 'published' and ${visibleArticles(reader)}
      group by term.chunk_id
      order by score desc, term.chunk_id limit ${limit}
    ),
    best as (
      select chunk.id as chunk_id, article_id, version, published.title, chunk.ordinal,
        chunk.length, chunk.heading, chunk.content, scores.score::float8 as score
      from scores
      join article_chunks chunk on chunk.id = scores.chunk_id
      join article_versions published using (article_id, version)
    )
    select best.*, ${termsOf(sql`title`, sql`true`)} as title_terms,
      ${termsOf(sql`heading`, sql`true`)} as heading_terms,
      ${termsOf(sql`content`, sql`lexeme = any(${lexemes})`)} as content_terms
    from best order by score desc, chunk_id`.execute(db);
  return rows;
}

/** Words of a language are known by then; what is rarer helps little and costs memory. */
const vocabularyMax = 30_000;
/** Chunks that the words are taken from, in about a second. */
const vocabularyChunksMax = 10_000;

/** The words of what everybody may read, as they are written there, the most frequent first. */
export async function findVocabulary(db: Kysely<Tables>): Promise<VocabularyWord[]> {
  const { rows } = await sql<VocabularyWord>`
    select word, ndoc as chunks from ts_stat(${`
      select to_tsvector('simple', published.title || ' ' || heading || ' ' || content)
      from article_chunks chunk join article_versions published using (article_id, version)
      join articles on articles.id = article_id
      where articles.status = 'published' and articles.audience = 'public'
      limit ${vocabularyChunksMax}`})
    where word ~ '^[[:alpha:]]{3,24}$' order by ndoc desc, word limit ${sql.lit(vocabularyMax)}`.execute(
    db,
  );
  return rows;
}

/** Private characters, which no text that people write has: they mark words without being markup. */
const matchStart = '\ue000';
const matchEnd = '\ue001';
const snippetWords = { most: 40, least: 20 };

/** The piece of each text where the words of the question stand, cut into what matches and what not. */
export async function highlight(
  db: Kysely<Tables>,
  question: string,
  contents: readonly string[],
  language: Language = defaultLanguage,
): Promise<SnippetPart[][]> {
  const { most, least } = snippetWords;
  const options = `StartSel=${matchStart}, StopSel=${matchEnd}, MaxWords=${most}, MinWords=${least}`;
  const config = configuration(language);
  const { rows } = await sql<{ snippet: string }>`
    with asked as (
      select string_agg(quote_literal(lexeme), ' | ')::tsquery as query
      from unnest(to_tsvector(${config}, ${question}))
    )
    select coalesce(ts_headline(${config}, content, query, ${options}), content) as snippet
    from unnest(${contents.map(withoutMarks)}::text[]) with ordinality as shown (content, at)
    cross join asked order by at`.execute(db);
  return rows.map(({ snippet }) => partsOf(snippet));
}

const withoutMarks = (text: string): string => text.replaceAll(/[\ue000\ue001]/g, '');

const partsOf = (snippet: string): SnippetPart[] =>
  snippet
    .split(/(?=\ue000)|(?<=\ue001)/)
    .map((text) => ({ text: withoutMarks(text), match: text.startsWith(matchStart) }))
    .filter(({ text }) => text !== '');
