import { createServer, type AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../test/cli-process.ts';
import { startRedis, testRedisUrl } from '../../../test/redis.ts';
import { testDatabaseUrl } from '../../../test/services.ts';
import { createInProcessBus, type Bus } from './bus.ts';
import { createPostgresBus } from './postgres-bus.ts';
import { createRedisBus } from './redis-bus.ts';

const logger = pino({ level: 'silent' });

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

/** Says it again until the other side has heard it: it may have been away at first. */
async function tell(bus: Bus, channel: string, listener: { heard: string[] }): Promise<void> {
  while (!listener.heard.includes('x')) {
    await bus.publish(channel, ['x']);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
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

const databaseUrl = (await testDatabaseUrl()) ?? '';
const redisUrl = (await testRedisUrl()) ?? '';

async function cutPostgres(): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'support-assistant bus' and datname = current_database()`);
  await client.end();
}

async function cutRedis(): Promise<void> {
  const redis = new Redis(redisUrl);
  await redis.call('CLIENT', 'KILL', 'SKIPME', 'yes');
  redis.disconnect();
}

describe.each([
  {
    name: 'PostgreSQL',
    url: databaseUrl,
    open: () => createPostgresBus({ url: databaseUrl, logger }),
    cut: cutPostgres,
  },
  {
    name: 'Redis',
    url: redisUrl,
    open: async () => createRedisBus({ url: redisUrl, logger }),
    cut: cutRedis,
  },
])('over $name', ({ url, open, cut }) => {
  describe.runIf(url)('', () => {
    let one: Bus;
    let two: Bus;
    beforeAll(async () => {
      one = await open();
      two = await open();
      await tell(one, 'ready', listenTo(two, 'ready'));
      await tell(two, 'ready', listenTo(one, 'ready'));
    });
    afterAll(async () => {
      await one.close();
      await two.close();
    });

    test('both instances hear it, each once, also more than one message holds', async () => {
      const [near, far] = [listenTo(one, 'grown'), listenTo(two, 'grown')];
      const ids = Array.from({ length: 2_450 }, () => crypto.randomUUID());
      await one.publish('grown', ids);
      await far.until(() => far.heard.length >= ids.length);
      expect(near.heard.toSorted()).toEqual(ids.toSorted());
      expect(far.heard.toSorted()).toEqual(ids.toSorted());
      expect([one.isUp(), two.isUp()]).toEqual([true, true]);
    });

    test('after a lost connection it listens again, and says that something may be missing', async () => {
      const far = listenTo(two, 'after');
      const near = listenTo(one, 'after');
      await cut();
      await far.until(() => far.reconnects() > 0);
      await tell(one, 'after', far);
      expect(near.heard).toContain('x');
    });
  });
});

describe.runIf(redisUrl)('a Redis', () => {
  test('that comes later is used from then on; until then nobody waits for it', async () => {
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    const [one, two] = [createRedisBus({ url, logger }), createRedisBus({ url, logger })];
    const far = listenTo(two, 'late');
    await one.publish('late', ['lost']);
    expect(one.isUp()).toBe(false);
    const redis = await startRedis(port);
    await far.until(() => far.reconnects() > 0);
    await tell(one, 'late', far);
    expect(two.isUp()).toBe(true);
    expect(far.heard).not.toContain('lost');
    await redis.stop();
    while (two.isUp()) await new Promise((resolve) => setTimeout(resolve, 5));
    await one.publish('late', ['y']);
    const again = await startRedis(port);
    await far.until(() => far.reconnects() > 1);
    await Promise.all([one.close(), two.close()]);
    await again.stop();
  });

  test('that takes connections and never replies delays nobody', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const bus = createRedisBus({ url: `redis://127.0.0.1:${port}`, logger });
    const mine = listenTo(bus, 'here');
    const startedAt = performance.now();
    for (let count = 0; count < 1_000; count += 1) await bus.publish('here', [String(count)]);
    expect(mine.heard).toHaveLength(1_000);
    expect(bus.isUp()).toBe(false);
    await bus.close();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await new Promise((resolve) => silent.close(resolve));
  });
});
