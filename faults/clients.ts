import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

/** What clients were told is done. */
export type Acked = { tickets: Map<string, string>; messages: Set<string> };

export type Clients = {
  acked: Acked;
  /** Called when a 2xx of a write has come. */
  onAcked: () => void;
  run(isEnough: () => boolean): Promise<void>;
};

const retryMs = 50;
const clientsAtOnce = 8;
const messagesPerTicket = 6;

type Body = { id: string; message: { id: string } };

/**
 * People at work over HTTP: open tickets, write, change, with an `Idempotency-Key` each, and again
 * until there is a 2xx, whatever happens to the server meanwhile.
 */
export function createClients(options: {
  url: string;
  random: () => number;
  customer: () => Promise<string>;
  agent: () => Promise<string>;
}): Clients {
  const { url, random } = options;
  const acked: Acked = { tickets: new Map(), messages: new Set() };

  async function write(
    who: 'customer' | 'agent',
    method: 'POST' | 'PATCH',
    path: string,
    body: object,
  ): Promise<Body> {
    const key = randomUUID();
    for (;;) {
      try {
        const reply = await fetch(`${url}/api/v1${path}`, {
          method,
          headers: {
            authorization: `Bearer ${await options[who]()}`,
            'content-type': 'application/json',
            'idempotency-key': key,
          },
          body: JSON.stringify(body),
        });
        if (reply.ok) {
          const result = (await reply.json()) as Body;
          clients.onAcked();
          return result;
        }
        const isPassing = [401, 409, 429, 503].includes(reply.status);
        const text = await reply.text();
        if (!isPassing) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
      } catch (error) {
        if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
      }
      await delay(retryMs);
    }
  }

  async function work(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      const title = `Fault ${randomUUID()}`;
      const { id } = await write('customer', 'POST', '/tickets', { title, description: 'Help.' });
      acked.tickets.set(id, title);
      for (let count = 0; count < messagesPerTicket; count += 1) {
        const who = random() < 0.5 ? 'customer' : 'agent';
        const content = `Message ${count}`;
        const { message } = await write(who, 'POST', `/tickets/${id}/messages`, { content });
        acked.messages.add(message.id);
      }
      await write('agent', 'PATCH', `/tickets/${id}`, { priority: 'high', tags: ['fault'] });
      await write('agent', 'PATCH', `/tickets/${id}`, { status: 'resolved' });
    }
  }

  const clients: Clients = {
    acked,
    onAcked: () => undefined,
    async run(isEnough) {
      await Promise.all(Array.from({ length: clientsAtOnce }, () => work(isEnough)));
    },
  };
  return clients;
}
