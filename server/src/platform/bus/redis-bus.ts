import { Redis, type RedisOptions } from 'ioredis';
import { createListeners, type Bus } from './bus.ts';
import { createOutbox } from './outbox.ts';

export type RedisBusOptions = {
  url: string;
  logger: { warn(details: object, message: string): void };
};

const channelOfAll = 'support-assistant';
const idsPerMessageMax = 1_000;
/** A Redis that has not replied by now is away. */
const commandMs = 2_000;
const reconnectMsMax = 1_000;
const lookMs = 5_000;

const connection: RedisOptions = {
  // What cannot go out now is not kept: listeners read again after a reconnection.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResubscribe: false,
  connectTimeout: commandMs,
  commandTimeout: commandMs,
  retryStrategy: (tries) => Math.min(50 * tries, reconnectMsMax),
};

/**
 * The bus over Redis, on two connections: one that has subscribed can say nothing else. A Redis that
 * is away delays nobody: it is connected to in the background, and publishing does not wait for it.
 * All databases of one Redis share their channels; workspaces that share one wake each other
 * needlessly, and that is all.
 */
export function createRedisBus({ url, logger }: RedisBusOptions): Bus {
  const listeners = createListeners();
  const instance = crypto.randomUUID();
  const publisher = new Redis(url, connection);
  const subscriber = new Redis(url, connection);
  let isSubscribed = false;
  let isLost = false;

  const put = createOutbox({
    idsPerMessageMax,
    send: (channel, ids) =>
      publisher.publish(channelOfAll, `${instance} ${channel} ${ids.join(',')}`),
  });

  function lost(error: unknown): void {
    isSubscribed = false;
    // Said once: an absent Redis would fill the log.
    if (!isLost) logger.warn({ error }, 'the bus cannot reach Redis; it goes on trying');
    isLost = true;
  }

  async function subscribe(): Promise<void> {
    await subscriber.subscribe(channelOfAll);
    isSubscribed = true;
    isLost = false;
    // Nothing was heard until now.
    listeners.reconnected();
  }

  publisher.on('error', lost);
  subscriber.on('error', lost);
  subscriber.on('close', () => (isSubscribed = false));
  subscriber.on('ready', () => void subscribe().catch(() => subscriber.disconnect(true)));
  subscriber.on('message', (_channel: string, message: string) => {
    const [from, channel = '', ids = ''] = message.split(' ');
    // Our own were delivered without the detour.
    if (from !== instance) listeners.deliver(channel, ids.split(','));
  });

  /** A connection that hangs looks like one on which nothing happens. */
  const timer = setInterval(() => {
    for (const redis of [publisher, subscriber]) {
      if (redis.status !== 'ready') continue;
      redis.ping().catch((error: unknown) => {
        lost(error);
        redis.disconnect(true);
      });
    }
  }, lookMs);
  timer.unref();

  return {
    isUp: () => isSubscribed && publisher.status === 'ready',
    publish(channel, ids) {
      if (ids.length === 0) return Promise.resolve();
      listeners.deliver(channel, ids);
      void put(channel, ids);
      return Promise.resolve();
    },
    subscribe: listeners.add,
    close() {
      clearInterval(timer);
      publisher.disconnect();
      subscriber.disconnect();
      return Promise.resolve();
    },
  };
}
