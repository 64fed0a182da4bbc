import type { Bus } from '../../platform/bus/bus.ts';
import { afterCommit } from '../../platform/database/transaction.ts';
import type { EventConsumer } from '../events/events.relay.ts';
import * as deliveries from './deliveries.repository.ts';
import { isSubscribed } from './subscriptions.ts';
import { webhooksDue } from './webhooks-due.ts';
import * as repository from './webhooks.repository.ts';

/** Turns events into deliveries to the webhooks that subscribe to them. */
export const createFanOut =
  ({ bus }: { bus: Bus }): EventConsumer =>
  async (db, events) => {
    const enabled = await repository.listEnabled(db);
    const due = enabled.flatMap((webhook) =>
      events
        .filter(({ type }) => isSubscribed(webhook.events, type))
        .map(({ id: eventId }) => ({ webhookId: webhook.id, eventId })),
    );
    if (due.length === 0) return;
    await deliveries.insert(db, due);
    const ids = [...new Set(due.map(({ webhookId }) => webhookId))];
    afterCommit(db, () => void bus.publish(webhooksDue, ids));
  };
