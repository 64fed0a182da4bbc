import { setTimeout as delay } from 'node:timers/promises';
import type { Bench } from '../question.ts';
import type { FakeAiAsk } from './fake-ai.ts';
import { insertPeople, secretKey } from './people.ts';
import { cpuSeconds } from './processes.ts';
import type { ReadersAsk, ReadersReply, StreamRequest } from './readers.ts';
import { insertEmptyTickets } from './tickets.ts';

export type Way = 'server' | 'pipe';

/** What one way did with `answers` live answers. CPU in cores: 1 is one core all the time. */
export type Measurement = {
  answers: number;
  live: number;
  failures: string[];
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Pieces of text that came, of those that an AI in time would have written; 1 is all. */
  arrived: number;
  cpu: number;
  /** The rest of the machine's work: PostgreSQL, the fake AI, and the readers. */
  cpuPostgres: number;
  cpuFakeAi: number;
  cpuReaders: number;
};

export const tokensPerSecond = 20;

const intervalMs = 1_000 / tokensPerSecond;
const streamsPerSecond = 100;
const openWithinMsMax = 10_000;
/** Between the last reader's first word and the first measured one. */
const settleMs = 1_000;
const endWithinMs = 60_000;

const article = {
  title: 'How long do I have to return an item?',
  body: '## Returns\n\nYou have 30 days from delivery to return an item. Shoes may be tried on indoors only.',
  status: 'published',
};
const question = { content: article.title };

/** The server and the raw pipe between the same fake AI and the same readers. */
export async function startConversations(bench: Bench, profileName: string) {
  const { processes, databases, profileOf } = bench;
  const database = await databases.create();
  const { db } = database;
  const ai = processes.startWorker<FakeAiAsk, string>(new URL('fake-ai.ts', import.meta.url));
  const aiUrl = await ai.ask({ do: 'start' });
  const server = await processes.startServer(
    {
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      SECRET_KEY: secretKey,
      AI_PROVIDER: 'groq',
      AI_BASE_URL: aiUrl,
      GROQ_API_KEY: 'fake',
      AI_FALLBACKS: 'none',
      AI_CONCURRENCY_MAX: '100000',
      AI_TOTAL_MS: '600000',
      STREAMS_PER_USER_MAX: '100',
    },
    { profile: profileOf(profileName) },
  );
  const pipe = processes.startWorker<{ aiUrl: string }, string>(
    new URL('../pipe.ts', import.meta.url),
  );
  const pipeUrl = await pipe.ask({ aiUrl });
  const readers = processes.startWorker<ReadersAsk, ReadersReply>(
    new URL('readers.ts', import.meta.url),
  );
  await publish();

  async function publish(): Promise<void> {
    const [admin] = await insertPeople(db, 'admin', 1);
    const reply = await fetch(`${server.url}/api/v1/articles`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin?.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(article),
    });
    if (!reply.ok) throw new Error(`publishing: ${reply.status} ${await reply.text()}`);
  }

  /** Every answer is that of another customer, on a ticket of its own. */
  async function streamsThroughServer(count: number): Promise<StreamRequest[]> {
    const customers = await insertPeople(db, 'customer', count);
    const tickets = await insertEmptyTickets(db, customers);
    return customers.map(({ token }, at) => ({
      url: `${server.url}/api/v1/tickets/${tickets[at]}/messages`,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'text/event-stream',
        'content-type': 'application/json',
      },
      body: JSON.stringify(question),
    }));
  }

  const streamsThroughPipe = (count: number): StreamRequest[] =>
    Array.from({ length: count }, () => ({
      url: pipeUrl,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'fake', messages: [], include_reasoning: false }),
    }));

  async function measure(way: Way, answers: number, milliseconds: number): Promise<Measurement> {
    const streams =
      way === 'server' ? await streamsThroughServer(answers) : streamsThroughPipe(answers);
    await ai.ask({ do: 'expect', answers, intervalMs });
    const withinMs = Math.min(openWithinMsMax, (answers / streamsPerSecond) * 1_000);
    await readers.ask({ do: 'open', streams, withinMs });
    await delay(settleMs);
    const pids = {
      cpu: [way === 'server' ? server.pid : pipe.pid],
      cpuPostgres: await database.backendPids(),
      cpuFakeAi: [ai.pid],
      cpuReaders: [readers.pid],
    };
    const cpuNow = () => Object.entries(pids).map(([name, of]) => [name, cpuSeconds(of)] as const);
    const [before, startedAt] = [cpuNow(), performance.now()];
    const measured = await readers.ask({ do: 'measure', milliseconds });
    const [after, seconds] = [cpuNow(), (performance.now() - startedAt) / 1_000];
    await readers.ask({ do: 'close' });
    await ai.ask({ do: 'end' });
    await allEnded();
    const cpu = before.map(([name, used], at) => {
      const cores = ((after[at]?.[1] ?? used) - used) / seconds;
      return [name, Math.round(cores * 100) / 100] as const;
    });
    const { live, failures, p50Ms, p99Ms, maxMs, pieces } = measured;
    const expected = (answers * milliseconds) / intervalMs;
    return {
      answers,
      live,
      failures,
      p50Ms,
      p99Ms,
      maxMs,
      arrived: Math.round((pieces / expected) * 100) / 100,
      ...(Object.fromEntries(cpu) as Record<keyof typeof pids, number>),
    };
  }

  /** Answers outlive their readers; what one round began must not burden the next. */
  async function allEnded(): Promise<void> {
    const giveUpAt = Date.now() + endWithinMs;
    for (;;) {
      const live = await db
        .selectFrom('answers')
        .select('id')
        .where('state', 'in', ['queued', 'streaming'])
        .limit(1)
        .execute();
      if (live.length === 0) return;
      if (Date.now() > giveUpAt) throw new Error('The answers of a round did not end.');
      await delay(50);
    }
  }

  return {
    measure,
    async stop(): Promise<void> {
      await Promise.all([server.stop(), pipe.stop(), readers.stop(), ai.stop()]);
      await database.drop();
    },
  };
}
