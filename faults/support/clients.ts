import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Person } from '../../bench/support/people.ts';
import { pick } from '../scenario.ts';
import { headersOf, type Desk } from './desk.ts';

export type AckedMessage = { id: string; ticketId: string; seq: number; content: string };

/** What clients were told is done. */
export type Acked = {
  /** Titles by id: no two tickets and no two articles of the clients have the same. */
  tickets: Map<string, string>;
  articles: Map<string, string>;
  /** In the order in which one person after the other was told. */
  messages: AckedMessage[];
  /** The tag that each ticket was given. */
  tags: Map<string, string>;
};

export type Clients = {
  acked: Acked;
  /** How often each status came; 0 is a connection that was refused or broke. */
  statuses: Map<number, number>;
  /** Called when a 2xx of a write has come. */
  onAcked: () => void;
  /** Called with every refusal and every broken connection. */
  onRefused: (refusal: Refusal) => void;
  /** Works until it is enough; nobody stops in the middle of a write. */
  run(isEnough: () => boolean): Promise<void>;
};

export type Refusal = { url: string; status: number; type: string; text: string };

const retryMs = 50;
/** What a refusal asks for, give or take: those who were refused together shall not come back so. */
const retrySpread = 0.5;
/** Behind what any reply takes, an instance that hangs is left. */
const replyWithinMs = 15_000;
const messagesPerTicket = 4;
const retried = [409, 429, 500, 502, 503, 504];

type Body = { id: string; message: { id: string; seq: number } };

/**
 * People at work over HTTP: open tickets, ask, reply, change, write articles. Each write has an
 * `Idempotency-Key` and is sent again, to the other instance, until there is a 2xx.
 */
export function createClients(
  desk: Pick<Desk, 'urls' | 'customers' | 'agent'>,
  { random, atOnce }: { random: () => number; atOnce: number },
): Clients {
  const { urls, customers, agent } = desk;
  const acked: Acked = {
    tickets: new Map(),
    articles: new Map(),
    messages: [],
    tags: new Map(),
  };
  const statuses = new Map<number, number>();

  async function write(
    person: Person,
    method: 'POST' | 'PATCH',
    path: string,
    body: object,
  ): Promise<Body> {
    const request: RequestInit = {
      method,
      headers: {
        ...headersOf(person),
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      },
      body: JSON.stringify(body),
    };
    for (let at = Math.floor(random() * urls.length); ; at += 1) {
      const sent = await send(urls[at % urls.length] ?? '', path, request);
      if (sent.body) return sent.body;
      await delay(sent.retryAfterMs * (1 + retrySpread * (2 * random() - 1)));
    }
  }

  /** Without a body it is to be sent again. */
  async function send(
    url: string,
    path: string,
    request: RequestInit,
  ): Promise<{ body?: Body; retryAfterMs: number }> {
    const signal = AbortSignal.timeout(replyWithinMs);
    let [status, type, text] = [0, '', ''];
    let retryAfterMs = retryMs;
    try {
      const reply = await fetch(`${url}/api/v1${path}`, { ...request, signal });
      type = reply.headers.get('content-type') ?? '';
      retryAfterMs = Number(reply.headers.get('retry-after') ?? 0) * 1_000 || retryMs;
      text = await reply.text();
      // Counts when all of it is here.
      ({ status } = reply);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
    }
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status >= 200 && status < 300) {
      clients.onAcked();
      return { body: JSON.parse(text) as Body, retryAfterMs };
    }
    clients.onRefused({ url, status, type, text });
    const isFinal = status === 409 && !text.includes('-in-flight');
    if (status === 0 || (retried.includes(status) && !isFinal)) return { retryAfterMs };
    throw new Error(`${String(request.method)} ${path}: ${status} ${text}`);
  }

  async function work(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      const customer = pick(random, customers);
      const title = `Fault ${randomUUID()}`;
      const ticket = { title, description: 'How long do I have to return an item?' };
      const { id } = await write(customer, 'POST', '/tickets', ticket);
      acked.tickets.set(id, title);
      for (let count = 0; count < messagesPerTicket && !isEnough(); count += 1) {
        await say(random() < 0.7 ? customer : agent, id);
      }
      if (!isEnough()) await change(id);
      if (!isEnough()) await draft();
    }
  }

  async function change(ticketId: string): Promise<void> {
    const tag = randomUUID();
    await write(agent, 'PATCH', `/tickets/${ticketId}`, { priority: 'high', tags: [tag] });
    acked.tags.set(ticketId, tag);
    await write(agent, 'PATCH', `/tickets/${ticketId}`, { status: 'resolved' });
  }

  async function say(person: Person, ticketId: string): Promise<void> {
    const content = `How long do I have to return an item? ${randomUUID()}`;
    const { message } = await write(person, 'POST', `/tickets/${ticketId}/messages`, { content });
    acked.messages.push({ id: message.id, ticketId, seq: message.seq, content });
  }

  async function draft(): Promise<void> {
    const title = `Article ${randomUUID()}`;
    const { id } = await write(agent, 'POST', '/articles', { title, body: 'A draft.' });
    acked.articles.set(id, title);
  }

  const clients: Clients = {
    acked,
    statuses,
    onAcked: () => undefined,
    onRefused: () => undefined,
    async run(isEnough) {
      await Promise.all(Array.from({ length: atOnce }, () => work(isEnough)));
    },
  };
  return clients;
}

export const ackedCount = ({ tickets, articles, messages, tags }: Acked): number =>
  tickets.size + articles.size + messages.length + tags.size;

/** The statuses that came, most frequent first, such as `201 × 940, 503 × 3`. */
export const statusesOf = ({ statuses }: Clients): string =>
  [...statuses]
    .sort(([, one], [, other]) => other - one)
    .map(([status, count]) => `${status === 0 ? 'no reply' : status} × ${count}`)
    .join(', ');
