import { setTimeout as delay } from 'node:timers/promises';
import type { FeedReadersAsk, FeedReadersReply } from '../bench/support/feed-readers.ts';
import { createProcesses, residentMiB } from '../bench/support/processes.ts';
import { rounded } from '../bench/support/statistics.ts';
import type { Faults, Figure, Scenario } from './scenario.ts';
import { startDesk } from './support/desk.ts';
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
  const processes = createProcesses();
  faults.defer(processes.close);
  const readers = processes.startWorker<FeedReadersAsk, FeedReadersReply>(
    new URL('../bench/support/feed-readers.ts', import.meta.url),
  );
  const url = `${instance.url}/api/v1/events/stream`;
  const before = residentMiB(instance.pid());
  await readers.ask({ do: 'open', url, token: desk.agent.token, count });
  await delay(short ? 0 : settleMs);
  const { open } = await readers.ask({ do: 'read' });
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
