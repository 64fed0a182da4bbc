import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible';
import type { OptionalRedis } from '../redis/optional-redis.ts';

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

export type RateLimits = ReturnType<typeof createRateLimits>;

/**
 * Limits that are never off: counted in Redis, where instances count together, and in this process
 * without one or whenever it is away. What was counted on the other side is then not known.
 */
export function createRateLimits({ redis }: { redis: OptionalRedis | undefined }) {
  /** In Redis when it can be asked, else here. */
  const ask = async <Reply>(
    shared: RateLimiterAbstract | undefined,
    own: RateLimiterAbstract,
    question: (limiter: RateLimiterAbstract) => Promise<Reply>,
  ): Promise<Reply> => (shared && (await redis?.ask(() => question(shared)))) ?? question(own);

  return {
    /** Undefined when `max` is 0, which is no limit. */
    of(limit: Limit): RateLimiter | undefined {
      const { name, max, windowSeconds } = limit;
      if (max === 0) return undefined;
      const options = { keyPrefix: `limit:${name}`, points: max, duration: windowSeconds };
      const own = new RateLimiterMemory(options);
      const shared = redis && new RateLimiterRedis({ ...options, storeClient: redis.client });
      return {
        limit,
        count: (key) => ask(shared, own, (limiter) => consume(limiter, key)),
        giveBack: async (key) => void (await ask(shared, own, (limiter) => limiter.reward(key))),
        forget: async (key) => void (await ask(shared, own, (limiter) => limiter.delete(key))),
      };
    },
  };
}

/** The library rejects what is over the limit, with where the key stands. */
const consume = (limiter: RateLimiterAbstract, key: string): Promise<Standing> =>
  limiter.consume(key).then(
    (result) => standingOf(result, false),
    (refusal: unknown) => {
      if (refusal instanceof RateLimiterRes) return standingOf(refusal, true);
      throw refusal;
    },
  );

const standingOf = (
  { remainingPoints, msBeforeNext }: RateLimiterRes,
  isOver: boolean,
): Standing => ({
  isOver,
  remaining: Math.max(0, remainingPoints),
  resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1_000)),
});
