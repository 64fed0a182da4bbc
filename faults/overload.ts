import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { percentile, rounded } from '../bench/support/statistics.ts';
import { insertTickets } from '../bench/support/tickets.ts';
import { pick, type Faults, type Figure, type Scenario } from './scenario.ts';
import { becomes, headersOf, startDesk, type Desk } from './support/desk.ts';

export const overload: Scenario = {
  name: 'overload',
  about: 'ten times as many requests as one instance can do',
  isAlone: true,
  run,
};

const times = 10;
const ticketCount = 2_000;
const acceptedP99MsMax = 1_000;
const refusedP99MsMax = 100;
const normalWithinMs = 5_000;
const connections = 500;
/** At once, to see what the instance can do: a few more than it has connections to the database. */
const capacityAtOnce = 16;
const writeShare = 0.2;
/** As slow as it may be to be itself again. */
const normalFactor = 3;
const tickMs = 10;

type Sent = { status: number; ms: number };

async function run(faults: Faults): Promise<Figure[]> {
  const { short, random } = faults;
  const seconds = short ? 2 : 15;
  const desk = await startDesk(faults, { instances: 1, env: { AI_ENABLED: 'false' } });
  const [url = ''] = desk.urls;
  const pool = new Pool(url, { connections });
  faults.defer(() => pool.destroy());
  const send = await createSender(desk, pool, random);

  await closedLoop(send, 1_000);
  const before = await closedLoop(send, seconds * 500);
  const capacity = (before.length / (seconds * 500)) * 1_000;
  const { sent, offered } = await openLoop(send, capacity * times, seconds * 1_000);
  const endedAt = performance.now();
  const limitMs = percentile(timesOf(before, isAccepted), 0.5) * normalFactor;
  const isNormal = await becomes(async () => {
    const { status, ms } = await send();
    return isAccepted(status) && ms <= limitMs;
  }, normalWithinMs * 2);
  const normalMs = performance.now() - endedAt;

  const accepted = timesOf(sent, isAccepted);
  const refused = timesOf(sent, (status) => status === 503);
  const others = sent.length - accepted.length - refused.length;
  const p99 = (all: readonly number[]): number => rounded(percentile(all, 0.99), 0);
  return [
    {
      what: 'replies other than 2xx and 503',
      measured: `${others} of ${sent.length.toLocaleString('en')}, ${accepted.length.toLocaleString('en')} accepted`,
      promise: '0',
      holds: others === 0,
    },
    {
      what: `offered, with a capacity of ${rounded(capacity, 0)}/s`,
      measured: `${rounded(offered, 0)}/s`,
      promise: `× ${times}`,
      holds: offered >= capacity * times * 0.9,
      isOfSpeed: true,
    },
    {
      what: 'p99 of accepted requests',
      measured: `${p99(accepted)} ms`,
      promise: `≤ ${acceptedP99MsMax} ms`,
      holds: p99(accepted) <= acceptedP99MsMax,
      isOfSpeed: true,
    },
    {
      what: 'p99 of refusals',
      measured: `${p99(refused)} ms`,
      promise: `≤ ${refusedP99MsMax} ms`,
      holds: p99(refused) <= refusedP99MsMax,
      isOfSpeed: true,
    },
    {
      what: 'normal again',
      measured: isNormal ? `${rounded(normalMs / 1_000)} s` : 'not at all',
      promise: `≤ ${normalWithinMs / 1_000} s`,
      holds: isNormal && normalMs <= normalWithinMs,
      isOfSpeed: true,
    },
  ];
}

const isAccepted = (status: number): boolean => status >= 200 && status < 300;
const timesOf = (sent: readonly Sent[], which: (status: number) => boolean): number[] =>
  sent.filter(({ status }) => which(status)).map(({ ms }) => ms);

/** Reads a ticket, or writes a note to it. */
async function createSender(desk: Desk, pool: Pool, random: () => number) {
  const { db, customers, agent } = desk;
  const tickets = await insertTickets(db, ticketCount, { customers, agents: [agent] });
  const note = JSON.stringify({ content: 'Seen.', visibility: 'internal' });
  return async (): Promise<Sent> => {
    const path = `/api/v1/tickets/${pick(random, tickets)}`;
    const isWrite = random() < writeShare;
    const startedAt = performance.now();
    const reply = await pool.request({
      path: isWrite ? `${path}/messages` : path,
      method: isWrite ? 'POST' : 'GET',
      headers: { ...headersOf(agent), ...(isWrite && { 'content-type': 'application/json' }) },
      body: isWrite ? note : undefined,
    });
    await reply.body.dump();
    return { status: reply.statusCode, ms: performance.now() - startedAt };
  };
}

type Send = Awaited<ReturnType<typeof createSender>>;

/** The next request when there is a reply to the last one. */
async function closedLoop(send: Send, milliseconds: number): Promise<Sent[]> {
  const sent: Sent[] = [];
  const endAt = performance.now() + milliseconds;
  const one = async (): Promise<void> => {
    while (performance.now() < endAt) sent.push(await send());
  };
  await Promise.all(Array.from({ length: capacityAtOnce }, one));
  return sent;
}

/** So many a second, whatever comes back; less only when they cannot be sent any faster. */
async function openLoop(
  send: Send,
  perSecond: number,
  milliseconds: number,
): Promise<{ sent: Sent[]; offered: number }> {
  const replies: Promise<Sent>[] = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt < milliseconds) {
    const due = ((performance.now() - startedAt) / 1_000) * perSecond;
    for (let count = replies.length; count < due; count += 1) replies.push(send());
    await delay(tickMs);
  }
  const offered = (replies.length / (performance.now() - startedAt)) * 1_000;
  return { sent: await Promise.all(replies), offered };
}
