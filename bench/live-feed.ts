import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { exampleEvent } from '../server/src/features/events/events.schemas.ts';
import { eventFrame } from '../server/src/platform/http/event-frame.ts';
import { testRedisUrl } from '../server/test/redis.ts';
import type { Bench, Finding, Question } from './question.ts';
import type { FeedReadersAsk, FeedReadersReply } from './support/feed-readers.ts';
import { insertPeople, secretKey, type Person } from './support/people.ts';
import { median, rounded } from './support/statistics.ts';
import { insertEmptyTickets } from './support/tickets.ts';

/*
 * How long from a commit to every one of a thousand readers of the live feed? The peer passes what
 * Redis says on to as many raw streams.
 */

const readersCount = 1_000;
const eventsPerSecond = 10;
const ratioMax = 3;
const channel = 'support-bench';

export const liveFeed: Question = { names: ['live-feed'], ask };

async function ask(bench: Bench): Promise<Finding[]> {
  bench.tell('live-feed');
  const redisUrl = await testRedisUrl();
  if (!redisUrl) throw new Error('The peer of live-feed is Redis: name it in TEST_REDIS_URL.');
  const { processes, databases, profileOf } = bench;
  const database = await databases.create();
  const server = await processes.startServer(
    {
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      SECRET_KEY: secretKey,
      AI_ENABLED: 'false',
      STREAMS_PER_USER_MAX: '100000',
    },
    { profile: profileOf('live-feed') },
  );
  const fanOut = processes.startWorker<{ redisUrl: string; channel: string }, string>(
    new URL('fan-out.ts', import.meta.url),
  );
  const fanOutUrl = await fanOut.ask({ redisUrl, channel });
  const readers = processes.startWorker<FeedReadersAsk, FeedReadersReply>(
    new URL('support/feed-readers.ts', import.meta.url),
  );
  const redis = new Redis(redisUrl);
  const [agent] = (await insertPeople(database.db, 'agent', 1)) as [Person];
  const [customer] = (await insertPeople(database.db, 'customer', 1)) as [Person];
  const [ticketId] = (await insertEmptyTickets(database.db, [customer])) as [string];

  async function note(): Promise<void> {
    const reply = await fetch(`${server.url}/api/v1/tickets/${ticketId}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'Between us.', visibility: 'internal' }),
    });
    if (!reply.ok) throw new Error(`a note: ${reply.status}`);
    await reply.arrayBuffer();
  }

  /** As large as an event of ours. */
  async function publish(): Promise<void> {
    const event = { ...exampleEvent, created_at: new Date().toISOString() };
    await redis.publish(channel, eventFrame({ type: 'event', event }, '5120'));
  }

  async function measure(way: 'server' | 'peer', seconds: number): Promise<FeedReadersReply> {
    const url = way === 'server' ? `${server.url}/api/v1/events/stream` : fanOutUrl;
    await readers.ask({ do: 'open', url, token: agent.token, count: readersCount });
    const count = seconds * eventsPerSecond;
    for (let at = 0; at < count; at += 1) {
      await (way === 'server' ? note() : publish());
      await delay(1_000 / eventsPerSecond);
    }
    while ((await readers.ask({ do: 'read' })).frames < count * readersCount) await delay(20);
    return readers.ask({ do: 'close' });
  }

  const [rounds, seconds] = bench.quick ? [1, 2] : [5, 4];
  await measure('server', 1);
  await measure('peer', 1);
  const ours: FeedReadersReply[] = [];
  const theirs: FeedReadersReply[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await measure('server', seconds));
    theirs.push(await measure('peer', seconds));
  }
  redis.disconnect();
  await Promise.all([server.stop(), fanOut.stop(), readers.stop()]);
  await database.drop();

  const p99Of = (replies: FeedReadersReply[]) => rounded(median(replies.map(({ p99Ms }) => p99Ms)));
  const p50Of = (replies: FeedReadersReply[]) => rounded(median(replies.map(({ p50Ms }) => p50Ms)));
  const ratio = rounded(p99Of(ours) / p99Of(theirs));
  return [
    {
      question: `live feed, commit → ${readersCount} readers`,
      server: `p50 ${p50Of(ours)} ms, p99 ${p99Of(ours)} ms`,
      floor: `p50 ${p50Of(theirs)} ms, p99 ${p99Of(theirs)} ms`,
      ratio,
      reach: `p99 ≤ ${ratioMax} × Redis fan-out`,
      reached: ratio <= ratioMax,
      details: { ours, theirs },
    },
  ];
}
