import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { residentMiB } from '../bench/support/processes.ts';
import { rounded } from '../bench/support/statistics.ts';
import type { Faults, Figure, Scenario } from './scenario.ts';
import { startDesk } from './support/desk.ts';
import { openFeed } from './support/feed.ts';
import { openFilesMax } from './support/sockets.ts';

export const idleStreams: Scenario = {
  name: 'idle-streams',
  about: 'ten thousand readers of the live feed, on which nothing happens',
  run,
};

const streamsWanted = 10_000;
const kiBEachMax = 40;
/** Of the files that a process may open, for all else. */
const otherFiles = 500;
const openAtOnce = 100;
const settleMs = 5_000;

async function run(faults: Faults): Promise<Figure[]> {
  const { short } = faults;
  const count = short ? 1_000 : Math.min(streamsWanted, openFilesMax() - otherFiles);
  const desk = await startDesk(faults, {
    instances: 1,
    env: { AI_ENABLED: 'false', STREAMS_PER_USER_MAX: '100000' },
  });
  const [instance] = desk.instances;
  if (!instance) throw new Error('There is no instance.');
  const before = residentMiB(instance.pid());
  const streams: Socket[] = [];
  for (let opened = 0; opened < count; opened += openAtOnce) {
    const some = Array.from({ length: Math.min(openAtOnce, count - opened) }, () =>
      openFeed(faults, instance.url, desk.agent),
    );
    streams.push(...(await Promise.all(some)));
  }
  for (const stream of streams) stream.resume();
  await delay(short ? 0 : settleMs);
  const open = streams.filter((stream) => !stream.destroyed).length;
  const kiBEach = ((residentMiB(instance.pid()) - before) * 1_024) / count;
  return [
    {
      what: `resident memory of an idle stream, ${count.toLocaleString('en')} of them open`,
      measured: `${rounded(kiBEach, 1)} KiB`,
      promise: `≤ ${kiBEachMax} KiB`,
      holds: open === count && kiBEach <= kiBEachMax,
      isOfSpeed: true,
    },
  ];
}
