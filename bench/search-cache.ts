import { knowledgeBaseOn } from '../eval/knowledge-base.ts';
import { freePort } from '../server/test/cli-process.ts';
import { startRedis } from '../server/test/redis.ts';
import { seed, type Bench, type Finding, type Question } from './question.ts';
import { makeLibrary } from './support/articles.ts';
import { secretKey } from './support/people.ts';
import { percentile, rounded } from './support/statistics.ts';

/*
 * What does a search cost that was asked before? One question after the other over HTTP, of a server
 * that keeps no searches; of one that has it in memory; of one that finds it in Redis, where another
 * instance has put it.
 */

const reach = 0.5;

export const searchCache: Question = { names: ['search-cache'], ask };

async function ask(bench: Bench): Promise<Finding[]> {
  bench.tell('search-cache');
  const articleCount = bench.quick ? 100 : 500;
  const { articles, questions } = makeLibrary(articleCount, bench.quick ? 50 : 300);
  const database = await bench.databases.create();
  const { publish, stop } = knowledgeBaseOn(database.db);
  await publish(articles.map((article, at) => ({ id: String(at), ...article })));
  await stop();
  await database.settle();
  const port = await freePort();
  const redis = await startRedis(port);
  const start = (settings: Record<string, string>) =>
    bench.processes.startServer({
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      SECRET_KEY: secretKey,
      RUN_JOBS: 'false',
      ...settings,
    });
  const shared = { REDIS_URL: `redis://127.0.0.1:${port}` };
  const servers = [await start({ SEARCH_CACHE_SECONDS: '0' }), await start(shared)] as const;
  const [without, kept] = servers;
  // The first time is for compilers, plans and caches of all.
  for (const text of questions) await Promise.all(servers.map(({ url }) => timed(url, text)));
  const other = await start(shared);
  await timed(other.url, 'a question of nobody');

  const times = { without: [] as number[], memory: [] as number[], redis: [] as number[] };
  for (const text of questions) {
    times.without.push(await timed(without.url, text));
    times.memory.push(await timed(kept.url, text));
    times.redis.push(await timed(other.url, text));
  }
  await Promise.all([...servers, other].map((server) => server.stop()));
  await redis.stop();
  await database.drop();
  const dataset = { articles: articleCount, questions: questions.length, seed };
  return (['memory', 'redis'] as const).map((place) => {
    const ratio = rounded(percentile(times[place], 0.5) / percentile(times.without, 0.5));
    return {
      question: `search from ${place}`,
      server: shown(times[place]),
      floor: `${shown(times.without)}: searched`,
      ratio,
      reach: `≤ ${reach.toFixed(2)}`,
      reached: ratio <= reach,
      details: { dataset, ours: summaryOf(times[place]), searched: summaryOf(times.without) },
    };
  });
}

async function timed(url: string, text: string): Promise<number> {
  const startedAt = performance.now();
  const reply = await fetch(`${url}/api/v1/articles/search?q=${encodeURIComponent(text)}`);
  await reply.text();
  if (!reply.ok) throw new Error(`a search failed with ${reply.status}`);
  return performance.now() - startedAt;
}

const summaryOf = (times: readonly number[]) => ({
  p50Ms: rounded(percentile(times, 0.5)),
  p95Ms: rounded(percentile(times, 0.95)),
});

const shown = (times: readonly number[]): string =>
  `p50 ${percentile(times, 0.5).toFixed(1)} ms, p95 ${percentile(times, 0.95).toFixed(1)} ms`;
