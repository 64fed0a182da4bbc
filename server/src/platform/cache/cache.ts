import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { OptionalRedis } from '../redis/optional-redis.ts';

/** What was loaded; one that is not `lasting` is given, and loaded again the next time. */
export type Loaded<Value> = { value: Value; lasting: boolean };

/** Values that took time to make, as JSON carries them. */
export type Cache = {
  /**
   * What is kept under `key`, else what `load` gives. `key` has in it all that the value follows
   * from, versions included: nothing is ever taken out because it has become wrong.
   */
  get<Value>(key: readonly unknown[], load: () => Promise<Loaded<Value>>): Promise<Value>;
};

export type CacheOptions = {
  name: string;
  /** How long a value is kept; 0 is not at all. */
  seconds: number;
  /** Keys are hashed with it: whoever reads Redis learns no question, and installations do not meet. */
  secret: string;
  /** Shared by all instances, and through a restart; without it each keeps its own. */
  redis: OptionalRedis | undefined;
};

const memoryUnitsMax = 16 * 1024 * 1024;

export function createCache({ name, seconds, secret, redis }: CacheOptions): Cache {
  if (seconds === 0) return { get: async (_key, load) => (await load()).value };
  const memory = new LRUCache<string, string>({
    maxSize: memoryUnitsMax,
    sizeCalculation: (text) => text.length + 1,
    ttl: seconds * 1_000,
  });
  const underWay = new Map<string, Promise<string>>();

  async function fetch(name: string, load: () => Promise<Loaded<unknown>>): Promise<string> {
    const shared = await redis?.ask(() => redis.client.get(name));
    if (typeof shared === 'string') {
      memory.set(name, shared);
      return shared;
    }
    const { value, lasting } = await load();
    const text = JSON.stringify(value);
    if (lasting) {
      memory.set(name, text);
      // Nobody waits for it.
      void redis?.ask(() => redis.client.set(name, text, 'EX', seconds));
    }
    return text;
  }

  return {
    async get<Value>(key: readonly unknown[], load: () => Promise<Loaded<Value>>): Promise<Value> {
      const hash = createHmac('sha256', secret).update(JSON.stringify(key)).digest('base64url');
      const place = `cache:${name}:${hash}`;
      let text = memory.get(place);
      if (text === undefined) {
        const loading = underWay.get(place) ?? fetch(place, load);
        underWay.set(place, loading);
        try {
          text = await loading;
        } finally {
          underWay.delete(place);
        }
      }
      return JSON.parse(text) as Value;
    },
  };
}
