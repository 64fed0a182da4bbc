import { setTimeout as delay } from 'node:timers/promises';
import { pick, type Faults, type Figure, type Scenario } from './scenario.ts';
import { createClients, statusesOf } from './support/clients.ts';
import { startDesk } from './support/desk.ts';
import { checkHistory } from './support/history.ts';

export const twoInstances: Scenario = {
  name: 'two-instances',
  about: 'one of two instances is killed every few seconds while people work and the AI answers',
  run,
};

async function run(faults: Faults): Promise<Figure[]> {
  const { short, random } = faults;
  const desk = await startDesk(faults, { receiverFailures: 0.1 });
  const clients = createClients(desk, { random, atOnce: short ? 12 : 24 });
  const endAt = performance.now() + (short ? 5_000 : 120_000);
  const isOver = (): boolean => performance.now() > endAt;
  const working = clients.run(isOver);
  let kills = 0;
  while (!isOver()) {
    await delay(between(random, short ? 300 : 500, short ? 1_000 : 3_000));
    const instance = pick(random, desk.instances);
    await instance.stop('SIGKILL');
    kills += 1;
    await delay(between(random, 0, 1_000));
    await instance.start('live');
  }
  await working;
  const unexpected = clients.statuses.get(500) ?? 0;
  return [
    {
      what: 'replies of 500',
      measured: `${unexpected} beside ${kills} kills: ${statusesOf(clients)}`,
      promise: '0',
      holds: unexpected === 0,
    },
    ...(await checkHistory(desk, clients.acked)),
  ];
}

const between = (random: () => number, least: number, most: number): number =>
  least + random() * (most - least);
