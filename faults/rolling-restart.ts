import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { percentile, rounded } from '../bench/support/statistics.ts';
import { pick, type Faults, type Figure, type Scenario } from './scenario.ts';
import { call, headersOf, startDesk, type Desk } from './support/desk.ts';
import { statusOf } from './support/instance.ts';

export const rollingRestart: Scenario = {
  name: 'rolling-restart',
  about:
    'one instance after the other is stopped with SIGTERM and started at 200 requests a second',
  isAlone: true,
  run,
};

const requestsPerSecond = 200;
const lookMs = 250;
const stopWithinMs = 25_000;
const writeShare = 0.2;

async function run(faults: Faults): Promise<Figure[]> {
  const { short, random } = faults;
  const env = { SHUTDOWN_GRACE_MS: short ? '1000' : '5000', SHUTDOWN_DRAIN_MS: '15000' };
  const desk = await startDesk(faults, { env });
  const visitors = await createVisitors(desk, random);
  const visiting = visitors.come();
  const exits: (number | null)[] = [];
  let slowestMs = 0;
  for (let round = 0; round < (short ? 1 : 3); round += 1) {
    for (const instance of desk.instances) {
      await delay(short ? 200 : 2_000);
      const startedAt = performance.now();
      exits.push(await instance.stop('SIGTERM'));
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      await instance.start();
    }
  }
  visitors.leave();
  await visiting;
  const { failures, latencies, refusals } = visitors;
  return [
    {
      what: 'failed requests',
      measured:
        `${failures.length} of ${latencies.length.toLocaleString('en')}` +
        (failures.length > 0 ? `, such as ${failures[0]}` : '') +
        `; ${refusals()} connections refused, p99 ${rounded(percentile(latencies, 0.99), 0)} ms`,
      promise: '0',
      holds: failures.length === 0,
      // One instance is left, on a machine that also starts the other: it may be too slow for both.
      isOfSpeed: failures.every((failure) => failure.includes('"overloaded"')),
    },
    {
      what: 'SIGTERM → exit',
      measured: `at most ${rounded(slowestMs / 1_000)} s, codes ${exits.join(', ')}`,
      promise: '≤ 25 s, 0',
      holds: slowestMs <= stopWithinMs && exits.every((code) => code === 0),
    },
  ];
}

/** Leave an instance whose ready is not 200, and try again only where a connection was refused. */
async function createVisitors(desk: Desk, random: () => number) {
  const { urls, agent, customers } = desk;
  const [first = ''] = urls;
  const body = { title: 'A ticket to look at', description: 'Help.' };
  const tickets = await Promise.all(
    customers.map((customer) => call<{ id: string }>(first, customer, 'POST', '/tickets', body)),
  );
  let ready: readonly string[] = urls;
  let isOver = false;
  let refusals = 0;
  const failures: string[] = [];
  const latencies: number[] = [];

  async function watch(): Promise<void> {
    while (!isOver) {
      const statuses = await Promise.all(urls.map((url) => statusOf(`${url}/health/ready`)));
      ready = urls.filter((_, at) => statuses[at] === 200);
      await delay(lookMs);
    }
  }

  async function visit(): Promise<void> {
    const isWrite = random() < writeShare;
    const path = `/api/v1/tickets/${pick(random, tickets).id}${isWrite ? '/messages' : ''}`;
    const note = { content: `Seen ${randomUUID()}`, visibility: 'internal' };
    const request = {
      method: isWrite ? 'POST' : 'GET',
      headers: { ...headersOf(agent), ...(isWrite && { 'content-type': 'application/json' }) },
      body: isWrite ? JSON.stringify(note) : undefined,
    };
    const startedAt = performance.now();
    const failure = await fetchFrom(pick(random, ready.length > 0 ? ready : urls), path, request);
    latencies.push(performance.now() - startedAt);
    if (failure !== undefined) failures.push(failure);
  }

  async function fetchFrom(
    url: string,
    path: string,
    request: RequestInit,
  ): Promise<string | undefined> {
    try {
      const reply = await fetch(url + path, request);
      const text = await reply.text();
      return reply.ok ? undefined : `${reply.status} ${text}`;
    } catch (error) {
      if (!isRefused(error)) return `${String(error)}: ${String((error as Error).cause)}`;
      refusals += 1;
      const others = urls.filter((other) => other !== url);
      return fetchFrom(pick(random, others), path, request);
    }
  }

  return {
    failures,
    latencies,
    refusals: () => refusals,
    async come(): Promise<void> {
      const watching = watch();
      const visits: Promise<void>[] = [];
      const startedAt = performance.now();
      while (!isOver) {
        const due = ((performance.now() - startedAt) / 1_000) * requestsPerSecond;
        while (visits.length < due) visits.push(visit());
        await delay(5);
      }
      await Promise.all([watching, ...visits]);
    },
    leave: () => void (isOver = true),
  };
}

const isRefused = (error: unknown): boolean =>
  error instanceof TypeError &&
  (error.cause as { code?: string } | undefined)?.code === 'ECONNREFUSED';
