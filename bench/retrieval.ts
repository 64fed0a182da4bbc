import { sql, type Kysely } from 'kysely';
import { knowledgeBaseOn } from '../eval/knowledge-base.ts';
import type { Tables } from '../server/src/tables.ts';
import { seed, type Bench, type Finding, type Question } from './question.ts';
import { chunksPerArticle, makeLibrary } from './support/articles.ts';
import { percentile, rounded } from './support/statistics.ts';

/*
 * How long does it take to find the passages for a question and to judge whether they answer it, one
 * question after the other? The peer is PostgreSQL's ranking on an index over the same chunks.
 */

const passagesMax = 6;
const passageTokensMax = 1_800;
const p95MsMax = 40;

export const retrieval: Question = { names: ['retrieval'], ask };

async function ask(bench: Bench): Promise<Finding[]> {
  bench.tell('retrieval');
  const articleCount = bench.quick ? 100 : 500;
  const library = makeLibrary(articleCount, bench.quick ? 50 : 300);
  const database = await bench.databases.create();
  const ours: number[] = [];
  const theirs: number[] = [];
  const { publish, retrieve, stop } = knowledgeBaseOn(database.db);
  await publish(library.articles.map((article, at) => ({ id: String(at), ...article })));
  await indexForPeer(database.db);
  await database.settle();
  const search: Search = (text) =>
    retrieve(undefined, { texts: [text], limit: passagesMax, tokenBudget: passageTokensMax });
  const peer = peerSearch(database.db);
  // The first tenth is for the compilers and caches of both, and is asked again.
  for (const text of library.questions.slice(0, library.questions.length / 10)) {
    await Promise.all([search(text), peer(text)]);
  }
  for (const text of library.questions) {
    ours.push(await timed(() => search(text)));
    theirs.push(await timed(() => peer(text)));
  }
  const { count } = await database.db
    .selectFrom('article_chunks')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  await stop();
  await database.drop();
  const p95Ms = percentile(ours, 0.95);
  return [
    {
      question: 'retrieval',
      server: shown(ours),
      floor: shown(theirs),
      ratio: rounded(p95Ms / percentile(theirs, 0.95)),
      reach: `p95 ≤ ${p95MsMax} ms`,
      reached: p95Ms <= p95MsMax,
      details: {
        dataset: { articles: articleCount, chunksPerArticle, chunks: count, seed },
        questions: library.questions.length,
        server: summaryOf(ours),
        peer: summaryOf(theirs),
      },
    },
  ];
}

type Search = (text: string) => Promise<unknown>;

async function indexForPeer(db: Kysely<Tables>): Promise<void> {
  await sql`
    create table peer_chunks as
    select chunk.id, setweight(to_tsvector('english', title || ' ' || heading), 'A')
      || to_tsvector('english', content) as words
    from article_chunks chunk join articles on articles.id = article_id`.execute(db);
  await sql`create index on peer_chunks using gin (words)`.execute(db);
}

/** Any word of the question will do, the best first: what one would write without BM25. */
const peerSearch =
  (db: Kysely<Tables>): Search =>
  (text) =>
    sql`
      select peer_chunks.id, title, heading, content, ts_rank_cd(words, query) as score
      from peer_chunks
        join article_chunks chunk on chunk.id = peer_chunks.id
        join articles on articles.id = article_id
        cross join (
          select replace(plainto_tsquery('english', ${text})::text, '&', '|')::tsquery as query
        ) asked
      where words @@ query order by score desc limit ${sql.lit(passagesMax)}`.execute(db);

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

const summaryOf = (times: readonly number[]) => ({
  p50Ms: rounded(percentile(times, 0.5)),
  p95Ms: rounded(percentile(times, 0.95)),
});

const shown = (times: readonly number[]): string => {
  const { p50Ms, p95Ms } = summaryOf(times);
  return `p50 ${p50Ms.toFixed(1)} ms, p95 ${p95Ms.toFixed(1)} ms`;
};
