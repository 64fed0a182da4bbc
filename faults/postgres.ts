import { setTimeout as delay } from 'node:timers/promises';
import { rounded } from '../bench/support/statistics.ts';
import type { Faults, Figure, Scenario } from './scenario.ts';
import { createClients, statusesOf, type Refusal } from './support/clients.ts';
import { becomes, headersOf, startDesk, type Desk } from './support/desk.ts';
import { checkHistory } from './support/history.ts';
import { statusOf } from './support/instance.ts';
import { ownPostgres } from './support/postgres.ts';

export const postgres: Scenario = {
  name: 'postgres',
  about: 'PostgreSQL is stopped immediately and comes back while people work',
  run,
};

const servingWithinMs = 5_000;
const noticedWithinMs = 10_000;

async function run(faults: Faults): Promise<Figure[]> {
  const { short, random } = faults;
  const server = await ownPostgres(faults);
  const desk = await startDesk(faults, { serverUrl: server.url });
  const clients = createClients(desk, { random, atOnce: short ? 6 : 16 });
  const improper: Refusal[] = [];
  clients.onRefused = (refusal) => {
    if (!isProper(refusal)) improper.push(refusal);
  };
  let isOver = false;
  const working = clients.run(() => isOver);
  let namesIt = true;
  let slowestMs = 0;
  const rounds = short ? 1 : 8;
  for (let round = 0; round < rounds; round += 1) {
    await delay(short ? 500 : 2_000 + 3_000 * random());
    await server.stopImmediately();
    namesIt &&= await becomes(() => everyReadySaysDown(desk), noticedWithinMs);
    await delay(short ? 0 : 5_000 * random());
    await server.start();
    slowestMs = Math.max(slowestMs, await untilServing(desk));
  }
  await delay(short ? 500 : 2_000);
  isOver = true;
  await working;
  return [
    {
      what: 'replies other than 2xx and 503 problems, and broken connections',
      measured: `${improper.length}: ${statusesOf(clients)}${exampleOf(improper)}`,
      promise: '0',
      holds: improper.length === 0,
    },
    {
      what: 'ready is 503 and says that it is the database, within 10 s',
      measured: namesIt ? `${rounds} of ${rounds} times` : 'not every time',
      promise: 'always',
      holds: namesIt,
    },
    {
      what: 'PostgreSQL back → both instances serve',
      measured: `at most ${rounded(slowestMs / 1_000)} s`,
      promise: '≤ 5 s',
      holds: slowestMs <= servingWithinMs,
      isOfSpeed: true,
    },
    ...(await checkHistory(desk, clients.acked)),
  ];
}

const exampleOf = ([first]: readonly Refusal[]): string =>
  first ? `, such as ${JSON.stringify(first)}` : '';

function isProper({ status, type, text }: Refusal): boolean {
  if (status === 409) return text.includes('-in-flight');
  return status === 503 && type.startsWith('application/problem+json');
}

async function everyReadySaysDown({ urls }: Desk): Promise<boolean> {
  const replies = await Promise.all(urls.map((url) => fetch(`${url}/health/ready`)));
  const bodies = (await Promise.all(replies.map((reply) => reply.json()))) as {
    checks: { database: { status: string } };
  }[];
  const areDown = bodies.every(({ checks }) => checks.database.status === 'down');
  return areDown && replies.every(({ status }) => status === 503);
}

/** Milliseconds until both are ready and do what needs the database. */
async function untilServing({ urls, agent }: Desk): Promise<number> {
  const backAt = performance.now();
  const serves = async (url: string): Promise<boolean> =>
    (await statusOf(`${url}/health/ready`)) === 200 &&
    (await statusOf(`${url}/api/v1/tickets`, { headers: headersOf(agent) })) === 200;
  await becomes(async () => (await Promise.all(urls.map(serves))).every(Boolean), 60_000);
  return performance.now() - backAt;
}
