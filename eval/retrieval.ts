import { sql, type Kysely } from 'kysely';
import { idf } from '../server/src/features/knowledge/question.ts';
import { findCandidates, findTerms } from '../server/src/features/knowledge/search.repository.ts';
import type { Tables } from '../server/src/tables.ts';
import type { DataSet, Query } from './data-sets.ts';
import type { KnowledgeBase } from './knowledge-base.ts';
import { ratioOf, type Row } from './row.ts';

/** Documents of a question's passages, best first, each once. */
type Search = (text: string) => Promise<string[]>;

/** The goals on the sets whose numbers are public; elsewhere there is only the comparison. */
const goals: Record<string, { first?: number; firstFive?: number; overPeer?: number }> = {
  stackfaq: { first: 0.76, firstFive: 0.94 },
  plausible: { overPeer: 0.1 },
};

const passagesMax = 60;
const promptPassages = { limit: 6, tokenBudget: 1_800 };

/** Where the right article stands in the results: ours, plain BM25, and PostgreSQL's own ranking. */
export async function measureRetrieval(
  { name, queries }: DataSet,
  base: KnowledgeBase,
): Promise<Row[]> {
  const articles = (ids: readonly string[]): string[] =>
    [...new Set(ids)].map((id) => base.documentOf(id) ?? '');
  const ours = (limit: number, tokenBudget: number): Search => {
    return async (text) => {
      const { passages } = await base.retrieve(undefined, { texts: [text], limit, tokenBudget });
      return articles(passages.map(({ article_id }) => article_id));
    };
  };
  const ranks = await ranksOf(queries, ours(passagesMax, Infinity));
  const inPrompt = await ranksOf(queries, ours(promptPassages.limit, promptPassages.tokenBudget));
  const bm25 = await ranksOf(queries, async (text) => articles(await bm25Search(base.db, text)));
  await indexForPeer(base.db);
  const peer = await ranksOf(queries, async (text) => articles(await rankSearch(base.db, text)));

  const goal = goals[name] ?? {};
  const within = (places: readonly number[], most: number) => ratioOf(places, (at) => at < most);
  const meanReciprocal = (places: readonly number[]): number =>
    places.reduce((sum, at) => sum + 1 / (at + 1), 0) / places.length;
  const row = (
    measure: string,
    of: (places: readonly number[]) => number,
    least?: number,
  ): Row => ({
    measure: `retrieval ${name}: ${measure}`,
    value: of(ranks),
    unit: 'ratio',
    reference: { name: 'BM25', value: of(bm25) },
    reach: least === undefined ? '' : `≥ ${least.toFixed(2)}`,
    reached: least === undefined || of(ranks) >= least,
    note: `ts_rank_cd ${of(peer).toFixed(3)}`,
  });
  const five = goal.overPeer === undefined ? goal.firstFive : within(peer, 5) + goal.overPeer;
  return [
    row('right article first', (places) => within(places, 1), goal.first),
    row('among the first five', (places) => within(places, 5), five),
    row('mean reciprocal rank', meanReciprocal),
    {
      measure: `retrieval ${name}: in the prompt's passages`,
      value: within(inPrompt, Infinity),
      unit: 'ratio',
      reach: '',
      reached: true,
      note: `${promptPassages.limit} passages, ${promptPassages.tokenBudget} tokens`,
    },
  ];
}

/** The place of the first right document, from 0; Infinity when it is not found. */
async function ranksOf(queries: readonly Query[], search: Search): Promise<number[]> {
  const ranks: number[] = [];
  for (const { text, gold } of queries) {
    const at = (await search(text)).findIndex((id) => gold.includes(id));
    ranks.push(at < 0 ? Infinity : at);
  }
  return ranks;
}

async function bm25Search(db: Kysely<Tables>, text: string): Promise<string[]> {
  const { terms, chunks } = await findTerms(db, undefined, text.split(/\s+/).filter(Boolean));
  const known = terms.filter((term) => term.chunks > 0);
  const weights = new Map(known.map((term) => [term.lexeme, idf(chunks, term.chunks)]));
  const found = await findCandidates(db, undefined, weights, { limit: passagesMax });
  return found.map(({ article_id }) => article_id);
}

async function indexForPeer(db: Kysely<Tables>): Promise<void> {
  await sql`
    create table peer_chunks as
    select article_id, setweight(to_tsvector('english', title || ' ' || heading), 'A')
      || to_tsvector('english', content) as words
    from article_chunks join articles on articles.id = article_id`.execute(db);
}

/** What PostgreSQL does by itself: any word of the question will do, titles and headings first. */
async function rankSearch(db: Kysely<Tables>, text: string): Promise<string[]> {
  const { rows } = await sql<{ article_id: string }>`
    select article_id from peer_chunks cross join (
      select replace(plainto_tsquery('english', ${text})::text, '&', '|')::tsquery as query
    ) asked
    where words @@ query order by ts_rank_cd(words, query) desc limit ${passagesMax}`.execute(db);
  return rows.map(({ article_id }) => article_id);
}
