import { afterAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../test/cli-process.ts';
import { until } from '../../../test/harness.ts';
import { startRedis, testRedisUrl } from '../../../test/redis.ts';
import { createOptionalRedis, type OptionalRedis } from '../redis/optional-redis.ts';
import { createCache, type CacheOptions } from './cache.ts';

const cacheOf = (options: Partial<CacheOptions> = {}) =>
  createCache({ name: 'test', seconds: 60, secret: 'a secret', redis: undefined, ...options });

/** Counts how often it was asked. */
function source(lasting = true) {
  const load = async () => ({ value: { times: ++load.times }, lasting });
  load.times = 0;
  return load;
}

describe('a cache', () => {
  test('loads once for each key, also for those who ask at once', async () => {
    const cache = cacheOf();
    const load = source();
    const asked = await Promise.all([1, 2, 3].map(() => cache.get(['one', 1], load)));
    expect(asked).toEqual([{ times: 1 }, { times: 1 }, { times: 1 }]);
    expect(await cache.get(['one', 1], load)).toEqual({ times: 1 });
    expect(await cache.get(['one', 2], load)).toEqual({ times: 2 });
  });

  test('gives everybody a value of their own', async () => {
    const cache = cacheOf();
    const load = source();
    const first = await cache.get<{ times: number }>(['one'], load);
    first.times = 99;
    expect(await cache.get(['one'], load)).toEqual({ times: 1 });
  });

  test.each([
    ['what does not last', cacheOf(), false],
    ['anything when it is off', cacheOf({ seconds: 0 }), true],
  ])('does not keep %s', async (_what, cache, lasting) => {
    const load = source(lasting);
    await cache.get(['one'], load);
    expect(await cache.get(['one'], load)).toEqual({ times: 2 });
  });

  test('does not keep a failure', async () => {
    const cache = cacheOf();
    const failing = () => Promise.reject(new Error('not now'));
    await expect(cache.get(['one'], failing)).rejects.toThrow('not now');
    expect(await cache.get(['one'], source())).toEqual({ times: 1 });
  });
});

describe.skipIf(!(await testRedisUrl()))('a cache in Redis', async () => {
  const port = await freePort();
  const server = await startRedis(port);
  const connections: OptionalRedis[] = [];
  afterAll(async () => {
    for (const redis of connections) redis.close();
    await server.stop();
  });

  async function connected(): Promise<OptionalRedis> {
    const redis = createOptionalRedis(`redis://127.0.0.1:${port}`, { warn: () => undefined });
    connections.push(redis);
    await until('the connection', () => redis.client.status === 'ready');
    return redis;
  }
  const keysIn = async ({ client }: OptionalRedis, count: number) =>
    until('the keys', async () => {
      const keys = await client.keys('*');
      return keys.length >= count && keys;
    });

  test('is shared by instances with one secret, and tells no question', async () => {
    const redis = await connected();
    const load = source();
    const key = ['my secret question'];
    expect(await cacheOf({ redis }).get(key, load)).toEqual({ times: 1 });
    const keys = await keysIn(redis, 1);
    expect(keys).toEqual([expect.stringMatching(/^cache:test:[\w-]{43}$/)]);
    expect(await redis.client.ttl(keys[0] ?? '')).toBeGreaterThan(50);
    expect(await cacheOf({ redis: await connected() }).get(key, load)).toEqual({ times: 1 });
    const elsewhere = cacheOf({ redis: await connected(), secret: 'another secret' });
    expect(await elsewhere.get(key, load)).toEqual({ times: 2 });
  });

  test('hangs nobody up, and fails nobody, when Redis does', async () => {
    const redis = await connected();
    const load = source();
    process.kill(server.pid, 'SIGSTOP');
    try {
      const before = performance.now();
      expect(await cacheOf({ redis }).get(['while it hangs'], load)).toEqual({ times: 1 });
      expect(await cacheOf({ redis }).get(['and again'], load)).toEqual({ times: 2 });
      expect(performance.now() - before).toBeLessThan(2_000);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    await redis.client.config('SET', 'maxmemory', '1');
    expect(await cacheOf({ redis }).get(['while it is full'], load)).toEqual({ times: 3 });
  });
});
