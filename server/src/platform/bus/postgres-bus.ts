import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { createListeners, type Bus } from './bus.ts';
import { createOutbox } from './outbox.ts';

export type PostgresBusOptions = {
  url: string;
  logger: { warn(details: object, message: string): void };
};

/** PostgreSQL refuses a payload of 8,000 bytes or more; an id and its comma take 37. */
const idsPerNotificationMax = 200;
const reconnectDelayMs = 250;

/**
 * The bus over LISTEN and NOTIFY, on one connection of its own. One PostgreSQL channel serves all of
 * ours, so subscribing needs no round trip; the payload is `instance channel id,id,…`.
 */
export async function createPostgresBus({ url, logger }: PostgresBusOptions): Promise<Bus> {
  const listeners = createListeners();
  const instance = crypto.randomUUID();
  let closing = false;
  let isUp = true;
  let client!: pg.Client;
  client = await connect();

  async function connect(): Promise<pg.Client> {
    const next = new pg.Client({
      connectionString: url,
      application_name: 'support-assistant bus',
    });
    next.on('notification', ({ payload = '' }) => {
      const [from, channel = '', ids = ''] = payload.split(' ');
      // Our own were delivered without the detour.
      if (from !== instance) listeners.deliver(channel, ids.split(','));
    });
    // One that breaks while it connects says so more than once; nobody listening would end the process.
    next.on('error', (error: Error) => void reconnect(next, error));
    next.on('end', () => void reconnect(next, undefined));
    await next.connect();
    await next.query('listen support_assistant');
    return next;
  }

  async function reconnect(lost: pg.Client, error: Error | undefined): Promise<void> {
    if (closing || lost !== client || !isUp) return;
    logger.warn({ error }, 'the bus lost its connection to PostgreSQL; reconnecting');
    isUp = false;
    lost.removeAllListeners('notification');
    for (;;) {
      await delay(reconnectDelayMs);
      if (closing) return;
      try {
        client = await connect();
        isUp = true;
        listeners.reconnected();
        return;
      } catch {
        // Still away: the next round tries again.
      }
    }
  }

  const text = `select pg_notify('support_assistant', $1)`;
  const put = createOutbox({
    idsPerMessageMax: idsPerNotificationMax,
    // A lost notification is made good by the re-read after the reconnection.
    send: (channel, ids) =>
      client.query({
        name: 'notify',
        text,
        values: [`${instance} ${channel} ${ids.join(',')}`],
      }),
  });

  return {
    publish(channel, ids) {
      if (ids.length === 0) return Promise.resolve();
      listeners.deliver(channel, ids);
      return put(channel, ids);
    },
    subscribe: listeners.add,
    isUp: () => isUp,
    async close() {
      closing = true;
      await client.end();
    },
  };
}
