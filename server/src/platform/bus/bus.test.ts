import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabaseUrl } from '../../../test/services.ts';
import { createInProcessBus, type Bus } from './bus.ts';
import { createPostgresBus } from './postgres-bus.ts';

/** Collects what a bus says, and resolves when there is enough. */
function listenTo(bus: Bus, channel: string) {
  const heard: string[] = [];
  let reconnects = 0;
  let notify = (): void => undefined;
  const unsubscribe = bus.subscribe(channel, {
    onIds(ids) {
      heard.push(...ids);
      notify();
    },
    onReconnect() {
      reconnects += 1;
      notify();
    },
  });
  const until = async (isEnough: () => boolean): Promise<void> => {
    while (!isEnough()) await new Promise<void>((resolve) => (notify = resolve));
  };
  return { heard, until, unsubscribe, reconnects: () => reconnects };
}

test('within a process, listeners of the channel hear it and others do not', async () => {
  const bus = createInProcessBus();
  const [mine, other] = [listenTo(bus, 'a'), listenTo(bus, 'b')];
  await bus.publish('a', ['1', '2']);
  mine.unsubscribe();
  await bus.publish('a', ['3']);
  expect(mine.heard).toEqual(['1', '2']);
  expect(other.heard).toEqual([]);
});

const url = await testDatabaseUrl();

describe.runIf(url)('over PostgreSQL', () => {
  const logger = pino({ level: 'silent' });
  let one: Bus;
  let two: Bus;
  beforeAll(async () => {
    one = await createPostgresBus({ url: url ?? '', logger });
    two = await createPostgresBus({ url: url ?? '', logger });
  });
  afterAll(async () => {
    await one.close();
    await two.close();
  });

  test('both instances hear it, each once, also more than one notification holds', async () => {
    const [near, far] = [listenTo(one, 'grown'), listenTo(two, 'grown')];
    const ids = Array.from({ length: 450 }, () => crypto.randomUUID());
    await one.publish('grown', ids);
    await far.until(() => far.heard.length >= ids.length);
    expect(near.heard.toSorted()).toEqual(ids.toSorted());
    expect(far.heard.toSorted()).toEqual(ids.toSorted());
  });

  test('after a lost connection it listens again, and says that something may be missing', async () => {
    const far = listenTo(two, 'after');
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'support-assistant bus' and datname = current_database()`);
    await client.end();
    await far.until(() => far.reconnects() > 0);
    const again = listenTo(one, 'after');
    // The other one was cut off too, and may need a moment to come back.
    while (!far.heard.includes('x')) {
      await one.publish('after', ['x']);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(again.heard).toContain('x');
  });
});
