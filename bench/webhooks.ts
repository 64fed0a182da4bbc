import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { newSecret } from '../server/src/features/webhooks/signature.ts';
import { createSealer } from '../server/src/platform/sealing.ts';
import type { Bench, Finding, Question } from './question.ts';
import { insertPeople, secretKey, type Person } from './support/people.ts';
import type { ReceiverAsk, ReceiverReply } from './support/receiver.ts';
import { insertEmptyTickets } from './support/tickets.ts';

/*
 * How long from an event to its first attempt at a receiver, alone and beside fifty that hang; and how
 * many deliveries a second when many are due at once.
 */

const eventsPerSecond = 50;
const hanging = 50;
const firstAttemptP99MsMax = 1_000;
const besideHangingP99MsMax = 2_000;
const deliveriesPerSecondMin = 500;

export const webhooks: Question = { names: ['webhooks'], ask };

async function ask(bench: Bench): Promise<Finding[]> {
  bench.tell('webhooks');
  const scene = await startScene(bench);
  const seconds = bench.quick ? 3 : 15;
  await scene.add('ok', 1);
  await scene.events(2);
  const alone = await scene.events(seconds);
  const backlog = bench.quick ? 1_000 : 10_000;
  const burst = await scene.burst(backlog);
  await scene.add('hang', hanging);
  // Until the fifty have shown that they hang, they get as many attempts as anybody.
  const onset = await scene.events(seconds);
  const beside = await scene.events(seconds);
  await scene.stop();
  const shown = ({ p50Ms, p99Ms }: ReceiverReply) => `p50 ${p50Ms} ms, p99 ${p99Ms} ms`;
  const perSecond = Math.round((burst.count / burst.spanMs) * 1_000);
  return [
    {
      question: `first attempt, ${eventsPerSecond} events/s`,
      server: shown(alone),
      floor: '–',
      ratio: undefined,
      reach: `p99 ≤ ${firstAttemptP99MsMax} ms`,
      reached: alone.p99Ms <= firstAttemptP99MsMax,
      details: { alone },
    },
    {
      question: `the same beside ${hanging} that hang`,
      server: shown(beside),
      floor: `at the onset ${shown(onset)}`,
      ratio: undefined,
      reach: `p99 ≤ ${besideHangingP99MsMax} ms`,
      reached: Math.max(onset.p99Ms, beside.p99Ms) <= besideHangingP99MsMax,
      details: { onset, beside },
    },
    {
      question: `${backlog} deliveries due at once`,
      server: `${perSecond}/s`,
      floor: '–',
      ratio: undefined,
      reach: `≥ ${deliveriesPerSecondMin}/s`,
      reached: perSecond >= deliveriesPerSecondMin,
      details: { burst },
    },
  ];
}

async function startScene({ processes, databases, profileOf }: Bench) {
  const database = await databases.create();
  const { db } = database;
  const receiver = processes.startWorker<ReceiverAsk, ReceiverReply>(
    new URL('support/receiver.ts', import.meta.url),
  );
  const { url } = await receiver.ask({ do: 'start' });
  const server = await processes.startServer(
    {
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      SECRET_KEY: secretKey,
      AI_ENABLED: 'false',
      WEBHOOK_ALLOW: new URL(url).host,
    },
    { profile: profileOf('webhooks') },
  );
  const sealer = createSealer({ keys: [secretKey], purpose: 'webhook secrets' });
  const [agent] = (await insertPeople(db, 'agent', 1)) as [Person];
  const [customer] = (await insertPeople(db, 'customer', 1)) as [Person];
  const [ticketId] = (await insertEmptyTickets(db, [customer])) as [string];

  /** A note is one event. */
  async function note(): Promise<void> {
    const reply = await fetch(`${server.url}/api/v1/tickets/${ticketId}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'Between us.', visibility: 'internal' }),
    });
    if (!reply.ok) throw new Error(`a note: ${reply.status} ${await reply.text()}`);
    await reply.arrayBuffer();
  }

  async function received(count: number): Promise<ReceiverReply> {
    for (;;) {
      const reply = await receiver.ask({ do: 'read' });
      if (reply.count >= count) return reply;
      await delay(20);
    }
  }

  return {
    async add(path: 'ok' | 'hang', count: number): Promise<void> {
      const rows = Array.from({ length: count }, () => ({
        id: randomUUIDv7(),
        url: `${url}/${path}`,
        description: '',
        events: ['message.created', 'article.published'],
        secret: sealer.seal(newSecret()),
      }));
      await db.insertInto('webhooks').values(rows).execute();
    },

    async events(seconds: number): Promise<ReceiverReply> {
      await receiver.ask({ do: 'forget' });
      const startedAt = performance.now();
      const sending: Promise<void>[] = [];
      for (let at = 0; at < seconds * eventsPerSecond; at += 1) {
        await delay(Math.max(0, startedAt + (at * 1_000) / eventsPerSecond - performance.now()));
        sending.push(note());
      }
      await Promise.all(sending);
      return received(sending.length);
    },

    /** Events past the API, all at once. */
    async burst(count: number): Promise<ReceiverReply> {
      await receiver.ask({ do: 'forget' });
      await sql`insert into events (id, type, actor_type, subject_id, data)
        select gen_random_uuid(), 'article.published', 'system', gen_random_uuid(), '{"id":"x"}'
        from generate_series(1, ${count}::int)`.execute(db);
      return received(count);
    },

    async stop(): Promise<void> {
      await Promise.all([server.stop(), receiver.stop()]);
      await database.drop();
    },
  };
}
