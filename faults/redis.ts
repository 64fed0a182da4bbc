import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Person } from '../bench/support/people.ts';
import { pick, type Faults, type Figure, type Scenario } from './scenario.ts';
import { createClients, statusesOf } from './support/clients.ts';
import { becomes, headersOf, startDesk, type Desk } from './support/desk.ts';
import { checkHistory } from './support/history.ts';
import { statusOf } from './support/instance.ts';

export const redis: Scenario = {
  name: 'redis',
  about: 'Redis is killed, hangs, forgets everything and is full while people work',
  run,
};

type Fault = { name: string; begin(desk: Desk): unknown; end(desk: Desk): unknown };

const faultsOfRedis: readonly Fault[] = [
  { name: 'killed', begin: ({ redis }) => redis.stop(), end: ({ redis }) => redis.start() },
  {
    name: 'hanging',
    begin: ({ redis }) => process.kill(redis.pid(), 'SIGSTOP'),
    end: ({ redis }) => process.kill(redis.pid(), 'SIGCONT'),
  },
  { name: 'emptied', begin: (desk) => tell(desk, 'flushall'), end: () => undefined },
  {
    name: 'full',
    begin: (desk) => tell(desk, 'config', 'set', 'maxmemory', '1'),
    end: (desk) => tell(desk, 'config', 'set', 'maxmemory', '0'),
  },
];

const searchesPerMinuteMax = 10;
const usedAgainWithinMs = 15_000;

async function run(faults: Faults): Promise<Figure[]> {
  const { short, random } = faults;
  const desk = await startDesk(faults, {
    env: { SEARCHES_PER_MINUTE_MAX: String(searchesPerMinuteMax) },
  });
  const clients = createClients(desk, { random, atOnce: short ? 4 : 12 });
  let isOver = false;
  const working = clients.run(() => isOver);
  const figures: Figure[] = [];
  let usedAgain = true;
  for (let round = 0; round < (short ? 1 : 3); round += 1) {
    for (const [at, fault] of faultsOfRedis.entries()) {
      await fault.begin(desk);
      const greedy = desk.customers[round * faultsOfRedis.length + at];
      figures.push(await limitStaysOn(desk, greedy ?? pick(random, desk.customers), fault));
      await delay(short ? 200 : 5_000 * random());
      await fault.end(desk);
      usedAgain &&= await becomes(() => everyBusIsUp(desk), usedAgainWithinMs);
    }
  }
  isOver = true;
  await working;
  const unexpected = (clients.statuses.get(500) ?? 0) + (clients.statuses.get(0) ?? 0);
  return [
    ...figures,
    {
      what: 'replies of 500 and broken connections',
      measured: `${unexpected}: ${statusesOf(clients)}`,
      promise: '0',
      holds: unexpected === 0,
    },
    {
      what: 'Redis back, and instances hear of each other again',
      measured: usedAgain ? 'every time' : 'not every time',
      promise: `≤ ${usedAgainWithinMs / 1_000} s`,
      holds: usedAgain,
    },
    ...(await checkHistory(desk, clients.acked)),
  ];
}

/** Counted by each instance, and before and behind the failure: at most twice as much as alone. */
async function limitStaysOn(desk: Desk, greedy: Person, { name }: Fault): Promise<Figure> {
  const accepted: number[] = [];
  let refused = 0;
  let others = 0;
  for (const url of desk.urls) {
    const statuses: number[] = [];
    for (let count = 0; count < searchesPerMinuteMax * 3; count += 1) {
      const path = '/api/v1/articles/search?q=return';
      statuses.push(await statusOf(url + path, { headers: headersOf(greedy) }));
    }
    accepted.push(statuses.filter((status) => status === 200).length);
    refused += statuses.filter((status) => status === 429).length;
    others += statuses.filter((status) => status !== 200 && status !== 429).length;
  }
  const isLimited = accepted.every((count) => count <= searchesPerMinuteMax * 2);
  return {
    what: `searches of one customer at each instance, Redis ${name}`,
    measured: `${accepted.join(' and ')} accepted, ${refused} × 429, ${others} others`,
    promise: `limited to ${searchesPerMinuteMax}, counted together or by each`,
    holds: isLimited && refused > 0 && others === 0,
  };
}

async function everyBusIsUp({ urls }: Desk): Promise<boolean> {
  const replies = await Promise.all(urls.map((url) => fetch(`${url}/health/ready`)));
  const bodies = (await Promise.all(replies.map((reply) => reply.json()))) as {
    checks: { bus: { status: string } };
  }[];
  return bodies.every(({ checks }) => checks.bus.status === 'ok');
}

async function tell({ redis }: Desk, command: string, ...words: string[]): Promise<void> {
  const client = new Redis(redis.url);
  await client.call(command, ...words);
  client.disconnect();
}
