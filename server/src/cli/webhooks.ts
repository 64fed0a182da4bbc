import {
  ApiError,
  type Client,
  type DeliveryState,
  type WebhookDelivery,
} from '../../../client/src/client.ts';
import { CommandError } from './failure.ts';
import { signIn, type SignInOptions } from './sign-in.ts';
import { printable, type Terminal } from './terminal.ts';

export type DeliveriesOptions = SignInOptions & {
  webhook?: string;
  state?: DeliveryState;
  limit: number;
};

/** Shows what webhooks were sent lately, newest first. */
export async function listDeliveries(
  options: DeliveriesOptions,
  terminal: Terminal,
): Promise<void> {
  const client = await signIn('admin', options, terminal);
  const ids = options.webhook === undefined ? await webhookIds(client) : [options.webhook];
  const query = { limit: options.limit, ...(options.state && { state: [options.state] }) };
  const pages = await Promise.all(ids.map((id) => client.webhooks.deliveries(id, query)));
  const deliveries = pages
    .flatMap(({ data }) => data)
    .sort((one, other) => other.created_at.localeCompare(one.created_at))
    .slice(0, options.limit);
  for (const delivery of deliveries) terminal.line(lineOf(delivery, terminal));
  if (deliveries.length === 0) {
    terminal.line(ids.length === 0 ? 'There are no webhooks.' : 'Nothing was sent.');
  }
  terminal.result({ deliveries });
}

/** Sends a delivery again; it is looked for at every webhook. */
export async function redeliver(
  deliveryId: string,
  options: SignInOptions,
  terminal: Terminal,
): Promise<void> {
  const client = await signIn('admin', options, terminal);
  for (const id of await webhookIds(client)) {
    const delivery = await client.webhooks.redeliver(id, deliveryId).catch(notThere);
    if (!delivery) continue;
    terminal.line(`${printable(delivery.event.type)} is sent again now.`);
    terminal.result({ delivery });
    return;
  }
  throw new CommandError(
    'not-found',
    `There is no delivery ${deliveryId}.`,
    'Find its id with: npm run cli -- webhooks deliveries',
  );
}

function notThere(error: unknown): undefined {
  if (error instanceof ApiError && error.code === 'not-found') return undefined;
  throw error;
}

/** There are a hundred at most. */
const webhookIds = async (client: Client): Promise<string[]> =>
  (await client.webhooks.list({ limit: 100 })).data.map(({ id }) => id);

const styles = { succeeded: 'green', failed: 'red', pending: 'yellow' } as const;
const stateWidth = 9;
const typeWidth = 21;

function lineOf(delivery: WebhookDelivery, terminal: Terminal): string {
  const { created_at, id, state, event, attempts } = delivery;
  const outcome = delivery.last_status ?? delivery.last_failure ?? '–';
  const next = delivery.next_attempt_at ? `, next ${timeOf(delivery.next_attempt_at)}` : '';
  return [
    timeOf(created_at),
    terminal.style(styles[state], state.padEnd(stateWidth)),
    printable(event.type).padEnd(typeWidth),
    `${outcome} after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}${next}`,
    terminal.style('dim', id),
  ].join('  ');
}

const timeOf = (time: string): string => time.slice(0, 19).replace('T', ' ');
