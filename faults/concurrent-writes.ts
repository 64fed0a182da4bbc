import { setTimeout as delay } from 'node:timers/promises';
import { pick, type Faults, type Figure, type Scenario } from './scenario.ts';
import { createClients, statusesOf } from './support/clients.ts';
import { becomes, startDesk } from './support/desk.ts';
import { checkHistory } from './support/history.ts';

export const concurrentWrites: Scenario = {
  name: 'concurrent-writes',
  about: 'instances are killed in the middle of 1,000 writes at once',
  run,
};

/** With those of the other scenarios a run has a hundred. */
const killsByDefault = 60;
const writesBetweenKills = 50;

async function run(faults: Faults): Promise<Figure[]> {
  const { short, random } = faults;
  const desk = await startDesk(faults, { customers: 100, env: { AI_ENABLED: 'false' } });
  const atOnce = short ? 200 : 1_000;
  const clients = createClients(desk, { random, atOnce });
  const killsWanted = faults.kills ?? (short ? 2 : killsByDefault);
  let kills = 0;
  let acked = 0;
  clients.onAcked = () => (acked += 1);
  const working = clients.run(() => kills >= killsWanted);
  while (kills < killsWanted) {
    const before = acked;
    await becomes(() => acked - before >= writesBetweenKills, 60_000);
    await delay(300 * random());
    const instance = pick(random, desk.instances);
    await instance.stop('SIGKILL');
    kills += 1;
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
