import { residentMiB } from '../bench/support/processes.ts';
import { rounded } from '../bench/support/statistics.ts';
import type { Faults, Figure, Scenario } from './scenario.ts';
import { becomes, call, startDesk, type Desk } from './support/desk.ts';
import { openFeed } from './support/feed.ts';
import { socketsOf } from './support/sockets.ts';

export const stalledReaders: Scenario = {
  name: 'stalled-readers',
  about: 'hundreds of readers of the live feed take nothing any more',
  run,
};

const growthMiBMax = 150;
const droppedWithinMs = 30_000;
const shortStallMs = 2_000;
const giveUpMs = 90_000;
/** The kernel keeps some 3 MB for each reader before the server notices anything. */
const events = 1_000;
const tags = 20;
/** Four bytes each: an event of 8 kB. */
const tag = (change: number, at: number): string => `${change} ${at} ${'\u{1F600}'.repeat(40)}`;

async function run(faults: Faults): Promise<Figure[]> {
  const { short } = faults;
  const count = short ? 50 : 500;
  const desk = await startDesk(faults, {
    instances: 1,
    env: {
      AI_ENABLED: 'false',
      STREAMS_PER_USER_MAX: '10000',
      ...(short && { STREAM_STALL_MS: String(shortStallMs) }),
    },
  });
  const [instance] = desk.instances;
  if (!instance) throw new Error('There is no instance.');
  // With a reader the server keeps the newest events at hand, as it would at any busy desk.
  const awake = await openFeed(faults, instance.url, desk.agent);
  awake.resume();
  await makeEvents(desk);

  const before = residentMiB(instance.pid());
  const socketsBefore = socketsOf(instance.pid());
  const startedAt = performance.now();
  for (let opened = 0; opened < count; opened += 1) {
    await openFeed(faults, instance.url, desk.agent, '?after=0');
  }
  const openedMs = performance.now() - startedAt;
  let peak = before;
  const areDropped = await becomes(() => {
    peak = Math.max(peak, residentMiB(instance.pid()));
    return socketsOf(instance.pid()) <= socketsBefore;
  }, giveUpMs);
  const droppedMs = performance.now() - startedAt - openedMs;
  return [
    {
      what: `growth of the resident memory with ${count} stalled readers`,
      measured: `at most ${rounded(peak - before, 0)} MiB`,
      promise: `≤ ${growthMiBMax} MiB`,
      holds: peak - before <= growthMiBMax,
      isOfSpeed: true,
    },
    {
      what: `stalled → all dropped${short ? `, with a patience of ${shortStallMs / 1_000} s` : ''}`,
      measured: areDropped ? `${rounded(droppedMs / 1_000, 1)} s` : 'never',
      promise: `≤ ${droppedWithinMs / 1_000} s`,
      holds: areDropped && droppedMs <= droppedWithinMs,
      isOfSpeed: areDropped,
    },
  ];
}

async function makeEvents({ urls, agent, customers }: Desk): Promise<void> {
  const [url = ''] = urls;
  const ticket = { title: 'Often changed', description: 'Help.' };
  await Promise.all(
    customers.map(async (customer) => {
      const { id } = await call<{ id: string }>(url, customer, 'POST', '/tickets', ticket);
      for (let change = 0; change < events / customers.length; change += 1) {
        const named = Array.from({ length: tags }, (_, at) => tag(change, at));
        await call(url, agent, 'PATCH', `/tickets/${id}`, { tags: named });
      }
    }),
  );
}
