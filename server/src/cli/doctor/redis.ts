import { Redis } from 'ioredis';
import type { Config } from '../../config.ts';
import { reasonOf } from '../failure.ts';
import type { Check } from './check.ts';

const replyMs = 3_000;

/** Whether the Redis that is configured replies; nothing when none is. */
export async function checkRedis({ redisUrl }: Config): Promise<Check[]> {
  if (!redisUrl) return [];
  const name = 'Redis';
  const { host } = new URL(redisUrl);
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: replyMs,
    commandTimeout: replyMs,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
    return [{ name, ok: true, detail: `at ${host}` }];
  } catch (error) {
    const fix = 'Check REDIS_URL, and that the server it names is running.';
    return [{ name, ok: false, detail: `at ${host}: ${reasonOf(error)}`, fix }];
  } finally {
    redis.disconnect();
  }
}
