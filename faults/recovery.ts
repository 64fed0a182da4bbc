import { setTimeout as delay } from 'node:timers/promises';
import { rounded } from '../bench/support/statistics.ts';
import type { Person } from '../bench/support/people.ts';
import type { Faults, Figure, Scenario } from './scenario.ts';
import { becomes, call, headersOf, startDesk, type Desk } from './support/desk.ts';
import { statusOf } from './support/instance.ts';

export const recovery: Scenario = {
  name: 'recovery',
  about: 'how long until a crash is over, a stuck answer has ended, and a session is really gone',
  isAlone: true,
  run,
};

const readyWithinMs = 3_000;
const endedWithinMs = 30_000;
const revokedWithinMs = 1_000;
const streamEndedWithinMs = 5_000;
const lookMs = 50;
const giveUpMs = 120_000;
const questions = 5;
/** Leases that `--short` has the patience for. */
const shortLeases = { ANSWER_LEASE_MS: '3000', ANSWER_SWEEP_MS: '1000' };

async function run(faults: Faults): Promise<Figure[]> {
  const { short } = faults;
  const desk = await startDesk(faults, {
    // Talks for longer than anybody waits.
    ai: 'pace?tokens=2000&delay=50',
    env: short ? shortLeases : {},
  });
  const [first] = desk.instances;
  if (!first) throw new Error('There is no instance.');
  const figures = await revocation(faults, desk);
  figures.push(await stuckAnswers(desk, short));
  const readyMs: number[] = [];
  for (let crash = 0; crash < (short ? 1 : 5); crash += 1) {
    await first.stop('SIGKILL');
    readyMs.push(await first.start());
  }
  figures.push(figureOf('crash → ready', Math.max(...readyMs), readyWithinMs));
  return figures;
}

const figureOf = (what: string, ms: number, withinMs: number): Figure => ({
  what,
  measured: Number.isFinite(ms) ? `at most ${rounded(ms / 1_000)} s` : 'never',
  promise: `≤ ${withinMs / 1_000} s`,
  holds: ms <= withinMs,
  isOfSpeed: Number.isFinite(ms),
});

/** Asked at the first instance, which dies while it tells them; the other one ends them. */
async function stuckAnswers({ db, urls, instances, customers }: Desk, short: boolean) {
  const question = { title: 'Returns', description: 'How long do I have to return an item?' };
  const [url = ''] = urls;
  await Promise.all(
    customers
      .slice(-questions)
      .map((customer) => call(url, customer, 'POST', '/tickets', question)),
  );
  const live = db.selectFrom('answers').select('id').where('ended_at', 'is', null);
  const begun = live.where('text', '<>', '');
  await becomes(async () => (await begun.execute()).length === questions, giveUpMs, lookMs);
  await instances[0]?.stop('SIGKILL');
  const diedAt = performance.now();
  const areOver = await becomes(async () => (await live.execute()).length === 0, giveUpMs, lookMs);
  const endedMs = areOver ? performance.now() - diedAt : Number.POSITIVE_INFINITY;
  const lease = short ? `, with a lease of ${Number(shortLeases.ANSWER_LEASE_MS) / 1_000} s` : '';
  return figureOf(`answers of a dead instance ended by the other${lease}`, endedMs, endedWithinMs);
}

/** Signs out at one instance, and looks when both refuse and when a stream of the other ends. */
async function revocation({ short, random }: Faults, desk: Desk): Promise<Figure[]> {
  const people = desk.customers.slice(0, short ? 4 : 10);
  const times = await Promise.all(people.map((person) => revoke(desk, person, random)));
  const worst = (of: 'refusedMs' | 'streamMs') => Math.max(...times.map((time) => time[of]));
  return [
    figureOf('revoked → refused by both instances', worst('refusedMs'), revokedWithinMs),
    figureOf('revoked → its stream ended', worst('streamMs'), streamEndedWithinMs),
  ];
}

async function revoke({ urls }: Desk, person: Person, random: () => number) {
  const [here = '', there = ''] = urls;
  const headers = headersOf(person);
  const stream = await fetch(`${there}/api/v1/events/stream`, { headers });
  const knows = (url: string) => statusOf(`${url}/api/v1/me`, { headers });
  await delay(5_000 * random());
  await Promise.all(urls.map(knows));
  await call(here, person, 'POST', '/auth/logout', {});
  const revokedAt = performance.now();
  const since = (isDone: boolean): number =>
    isDone ? performance.now() - revokedAt : Number.POSITIVE_INFINITY;
  const [refusedMs, streamMs] = await Promise.all([
    becomes(
      async () => (await Promise.all(urls.map(knows))).every((status) => status === 401),
      giveUpMs,
      lookMs,
    ).then(since),
    // To its end: nothing more than keep-alives comes.
    stream.arrayBuffer().then(() => since(true)),
  ]);
  return { refusedMs, streamMs };
}
