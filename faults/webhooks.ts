import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Faults, Figure, Scenario } from './scenario.ts';
import { createClients } from './support/clients.ts';
import { startDesk } from './support/desk.ts';
import { checkHistory } from './support/history.ts';

export const webhooks: Scenario = {
  name: 'webhooks',
  about: 'a receiver fails 30 % of requests in seven ways, and the one instance is killed',
  run,
};

const failures = 0.3;

async function run(faults: Faults): Promise<Figure[]> {
  const { short, random } = faults;
  const [eventsWanted, killsWanted] = short ? [300, 2] : [10_000, 20];
  const desk = await startDesk(faults, {
    instances: 1,
    receiverFailures: failures,
    env: { AI_ENABLED: 'false' },
  });
  const [instance] = desk.instances;
  if (!instance) throw new Error('There is no instance.');
  const clients = createClients(desk, { random, atOnce: 8 });

  let kills = 0;
  let restarting: Promise<unknown> | undefined;
  async function killAndRestart(): Promise<void> {
    kills += 1;
    await instance?.stop('SIGKILL');
    await instance?.start();
  }
  const kill = (): void =>
    void (restarting ??= killAndRestart().finally(() => (restarting = undefined)));
  /** The moments that matter most: a reply is on its way, and nobody has noted it yet. */
  const aims = [
    () => (desk.receiver.onTaken = once(kill, () => (desk.receiver.onTaken = () => undefined))),
    () => (clients.onAcked = once(kill, () => (clients.onAcked = () => undefined))),
    kill,
  ];

  let events = 0;
  let isWorking = true;
  async function watch(): Promise<void> {
    while (isWorking) {
      events = await countOf(sql`events where ticket_id is not null`);
      const isDue = events >= ((kills + 1) * eventsWanted) / (killsWanted + 1);
      if (isDue && kills < killsWanted && !restarting) aims[kills % aims.length]?.();
      await delay(20);
    }
  }
  async function countOf(from: ReturnType<typeof sql>): Promise<number> {
    const query = sql<{ count: number }>`select count(*)::int as count from ${from}`;
    return (await query.execute(desk.db)).rows[0]?.count ?? 0;
  }

  const watching = watch();
  await clients.run(() => events >= eventsWanted && kills >= killsWanted);
  isWorking = false;
  await watching;
  await restarting;
  return checkHistory(desk, clients.acked);
}

function once(work: () => void, disarm: () => void): () => void {
  return () => {
    disarm();
    work();
  };
}
