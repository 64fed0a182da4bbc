import { Redis } from 'ioredis';
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible';

/** So many of something in so many seconds, for each key. */
export type Limit = { name: string; max: number; windowSeconds: number };

/** Where a key stands with a limit. */
export type Standing = { isOver: boolean; remaining: number; resetSeconds: number };

export type RateLimiter = {
  readonly limit: Limit;
  /** Counts one more, also of what is over the limit already. */
  count(key: string): Promise<Standing>;
  /** Takes one back that was counted in advance. */
  giveBack(key: string): Promise<void>;
  /** Begins anew. */
  forget(key: string): Promise<void>;
};

export type RateLimitsOptions = {
  /** Where instances count together; without it each counts for itself. */
  redisUrl: string | undefined;
  logger: { warn(details: object, message: string): void };
};

/** A Redis that has not replied by now is away: a limit may not cost more than the request. */
const commandMs = 250;
/** So long each instance counts for itself, before Redis is tried again. */
const distrustMs = 2_000;
const reconnectMsMax = 1_000;

export type RateLimits = ReturnType<typeof createRateLimits>;

/**
 * Limits that are never off: counted in Redis, and in this process whenever Redis is away, hangs, is
 * full or is read-only. What was counted on the other side is then not known.
 */
export function createRateLimits({ redisUrl, logger }: RateLimitsOptions) {
  const redis = redisUrl === undefined ? undefined : connect(redisUrl);
  redis?.on('error', distrust);
  let distrustedUntil = 0;
  let isLost = false;

  function distrust(error: unknown): void {
    distrustedUntil = performance.now() + distrustMs;
    // Said once: an absent Redis would fill the log.
    if (!isLost) logger.warn({ error }, 'rate limits are counted by each instance: no Redis');
    isLost = true;
  }

  const isShared = (): boolean => redis?.status === 'ready' && performance.now() >= distrustedUntil;

  /** In Redis when it can be trusted, else here. */
  async function ask<Result>(
    shared: RateLimiterAbstract | undefined,
    own: RateLimiterAbstract,
    question: (limiter: RateLimiterAbstract) => Promise<Result>,
  ): Promise<Result> {
    if (!shared || !isShared()) return question(own);
    try {
      const result = await question(shared);
      isLost = false;
      return result;
    } catch (error) {
      if (error instanceof RateLimiterRes) throw error;
      distrust(error);
      return question(own);
    }
  }

  return {
    /** Undefined when `max` is 0, which is no limit. */
    of(limit: Limit): RateLimiter | undefined {
      const { name, max, windowSeconds } = limit;
      if (max === 0) return undefined;
      const options = { keyPrefix: `limit:${name}`, points: max, duration: windowSeconds };
      const own = new RateLimiterMemory(options);
      const shared = redis && new RateLimiterRedis({ ...options, storeClient: redis });
      return {
        limit,
        async count(key) {
          try {
            return standingOf(await ask(shared, own, (limiter) => limiter.consume(key)), false);
          } catch (refusal) {
            if (refusal instanceof RateLimiterRes) return standingOf(refusal, true);
            throw refusal;
          }
        },
        giveBack: async (key) => void (await ask(shared, own, (limiter) => limiter.reward(key))),
        forget: async (key) => void (await ask(shared, own, (limiter) => limiter.delete(key))),
      };
    },

    /** Whether instances count together just now; undefined when they are not meant to. */
    isShared: redis && isShared,

    close: (): void => redis?.disconnect(),
  };
}

function connect(url: string): Redis {
  return new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: commandMs,
    enableAutoPipelining: true,
    retryStrategy: (tries) => Math.min(50 * tries, reconnectMsMax),
  });
}

const standingOf = (
  { remainingPoints, msBeforeNext }: RateLimiterRes,
  isOver: boolean,
): Standing => ({
  isOver,
  remaining: Math.max(0, remainingPoints),
  resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1_000)),
});
