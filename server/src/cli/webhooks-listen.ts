import type { Client, SupportEvent } from '../../../client/src/client.ts';
import { userAgent } from '../features/webhooks/attempt.ts';
import { payloadOf, type PayloadEvent } from '../features/webhooks/payload.ts';
import { newSecret, signedHeaders } from '../features/webhooks/signature.ts';
import { isSubscribed } from '../features/webhooks/subscriptions.ts';
import { CommandError } from './failure.ts';
import { signIn, type SignInOptions } from './sign-in.ts';
import { printable, type Terminal } from './terminal.ts';

export type ListenOptions = SignInOptions & { forwardTo: string; events: string; secret?: string };

const replyMs = 15_000;
const typeWidth = 21;

/**
 * Sends what happens on a server to a receiver that the server itself may not reach, as a webhook
 * would: same body, same headers, signed. Goes on until it is interrupted.
 */
export async function listen(options: ListenOptions, terminal: Terminal): Promise<void> {
  const { forwardTo, secret = newSecret() } = options;
  if (!/^whsec_[\w+/]+=*$/.test(secret)) {
    throw new CommandError(
      'secret',
      'A secret is like whsec_….',
      'Leave --secret out for a new one.',
    );
  }
  const subscriptions = options.events.split(',').map((event) => event.trim());
  const client = await signIn('admin', options, terminal);
  for await (const part of client.events.stream()) {
    if (part.type === 'hello') {
      terminal.line(`Forwards ${subscriptions.join(', ')} to ${forwardTo}`);
      terminal.line(`Signs with ${terminal.style('bold', secret)}\n`);
    }
    if (part.type !== 'event' || !isSubscribed(subscriptions, part.event.type)) continue;
    const outcome = await forward(await payloadEventOf(client, part.event), forwardTo, secret);
    terminal.line(`${printable(part.event.type).padEnd(typeWidth)}  ${outcome}`);
    terminal.result({ id: part.event.id, type: part.event.type, outcome });
  }
}

/** What the feed leaves out is read where it stands. */
async function payloadEventOf(client: Client, event: SupportEvent): Promise<PayloadEvent> {
  const { id, type, actor, object, previous, sequence = null, created_at } = event;
  return {
    id,
    type,
    created_at: new Date(created_at),
    sequence,
    data: object,
    previous,
    actor_type: actor.type,
    actor_id: actor.id,
    content: type === 'message.created' ? await contentOf(client, event) : null,
  };
}

async function contentOf(client: Client, event: SupportEvent): Promise<string> {
  const ticketId = event.ticket_id ?? '';
  for (let cursor: string | undefined; ;) {
    const query = { sort: '-seq' as const, limit: 100, ...(cursor && { cursor }) };
    const page = await client.messages.list(ticketId, query);
    const message = page.data.find(({ id }) => id === event.subject_id);
    if (message) return message.content;
    if (page.next_cursor === null) return '';
    cursor = page.next_cursor;
  }
}

async function forward(event: PayloadEvent, url: string, secret: string): Promise<string> {
  const body = payloadOf(event);
  const startedAt = performance.now();
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': userAgent,
        ...signedHeaders([secret], { id: event.id, timestamp: new Date(), body }),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(replyMs),
    });
    await response.body?.cancel();
    return `${response.status} in ${Math.round(performance.now() - startedAt)} ms`;
  } catch (error) {
    return `no reply: ${reasonOf(error)}`;
  }
}

/** `fetch` says why only in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) {
    return cause.errors[0].message;
  }
  return cause instanceof Error ? cause.message : String(cause);
}
