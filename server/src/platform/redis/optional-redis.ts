import { Redis } from 'ioredis';

/** A Redis that may be away at any time: who asks it has another way. */
export type OptionalRedis = {
  readonly client: Redis;
  isUsable(): boolean;
  /** Undefined, at once or soon, when Redis is away, hangs, is full or is read-only. */
  ask<Reply>(question: () => Promise<Reply>): Promise<Reply | undefined>;
  close(): void;
};

/** A Redis that has not replied by now is away: it may not cost more than it saves. */
const commandMs = 250;
/** So long it is not asked again after it has failed. */
const distrustMs = 2_000;
const reconnectMsMax = 1_000;

export function createOptionalRedis(
  url: string,
  logger: { warn(details: object, message: string): void },
): OptionalRedis {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: commandMs,
    enableAutoPipelining: true,
    retryStrategy: (tries) => Math.min(50 * tries, reconnectMsMax),
  });
  client.on('error', distrust);
  let distrustedUntil = 0;
  let isLost = false;

  function distrust(error: unknown): void {
    distrustedUntil = performance.now() + distrustMs;
    // Said once: an absent Redis would fill the log.
    if (!isLost) {
      logger.warn({ error }, 'no Redis: limits and cache are those of each instance alone');
    }
    isLost = true;
  }

  const isUsable = (): boolean => client.status === 'ready' && performance.now() >= distrustedUntil;

  return {
    client,
    isUsable,
    async ask(question) {
      if (!isUsable()) return undefined;
      try {
        const reply = await question();
        isLost = false;
        return reply;
      } catch (error) {
        distrust(error);
        return undefined;
      }
    },
    close: () => client.disconnect(),
  };
}
