import type { Kysely } from 'kysely';
import { invalidField, notFound } from '../../errors.ts';
import type { Bus } from '../../platform/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import { once, type Effect, type Idempotency } from '../../platform/database/idempotency.ts';
import { decodeCursor, pageOf, type Page } from '../../platform/database/page.ts';
import { afterCommit, transaction } from '../../platform/database/transaction.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { DeliveryState, Tables } from '../../tables.ts';
import type { Actor } from '../auth/actor.ts';
import { userAgent } from './attempt.ts';
import * as repository from './deliveries.repository.ts';
import type { AttemptRow, DeliveryView } from './deliveries.repository.ts';
import { payloadOf } from './payload.ts';
import { isSubscribed } from './subscriptions.ts';
import { webhooksDue } from './webhooks-due.ts';
import { requireEnabled } from './webhooks.policy.ts';
import { recoveryQueue } from './webhooks.queues.ts';
import * as webhooks from './webhooks.repository.ts';

export type { AttemptRow, DeliveryView } from './deliveries.repository.ts';

/** A delivery with what is sent, and what came back. */
export type DeliveryDetail = {
  delivery: DeliveryView;
  request: { headers: Record<string, string>; body: string };
  attempts: AttemptRow[];
};

const attemptsShownMax = 50;
const recoveryBatch = 500;
const dayMs = 24 * 60 * 60 * 1_000;

export type DeliveriesService = ReturnType<typeof createDeliveriesService>;

/** The log of what webhooks were sent, and sending it again. */
export function createDeliveriesService(dependencies: {
  db: Kysely<Tables>;
  bus: Bus;
  jobs: Pick<Jobs, 'send'>;
  clock: Clock;
  /** What has ended before that is forgotten. */
  keptDays: number;
}) {
  const { db, bus, jobs, clock, keptDays } = dependencies;

  return {
    async list(
      actor: Actor,
      webhookId: string,
      input: { states?: DeliveryState[]; limit: number; cursor: string | undefined },
    ): Promise<Page<DeliveryView>> {
      if (!(await webhooks.find(db, webhookId))) throw notFound();
      const { states, limit, cursor } = input;
      const boundTo = ['deliveries', actor.id, webhookId, states];
      const after = cursor === undefined ? undefined : decodeCursor(cursor, boundTo);
      const rows = await repository.list(db, webhookId, states, { limit, after });
      return pageOf(rows, limit, boundTo, (row) => row.created_at.toISOString());
    },

    get,

    /** Sends it again, from the beginning of the schedule, whatever became of it. */
    async redeliver(
      actor: Actor,
      { webhookId, id }: { webhookId: string; id: string },
      idempotency: Idempotency | undefined,
    ): Promise<{ detail: DeliveryDetail; replayed: boolean }> {
      const { replayed } = await transaction(db, (db) =>
        once(db, actor.id, idempotency, async () => {
          const webhook = await webhooks.lock(db, webhookId);
          if (!webhook || !(await repository.find(db, webhookId, id))) throw notFound();
          requireEnabled(webhook);
          await repository.requeue(db, webhookId, id);
          afterCommit(db, () => void bus.publish(webhooksDue, [webhookId]));
          return {};
        }),
      );
      return { detail: await get(actor, webhookId, id), replayed };
    },

    /** Sends, in the background, what the webhook has missed or failed to take since then. */
    async recover(
      actor: Actor,
      { webhookId, since }: { webhookId: string; since: Date },
      idempotency: Idempotency | undefined,
    ): Promise<Effect<object>> {
      // What was taken before that is forgotten, and would be sent twice.
      if (since.getTime() < clock.now().getTime() - keptDays * dayMs) {
        throw invalidField('/since', 'too-long-ago', `must be within the last ${keptDays} days`);
      }
      return transaction(db, (db) =>
        once(db, actor.id, idempotency, async () => {
          const webhook = await webhooks.lock(db, webhookId);
          if (!webhook) throw notFound();
          requireEnabled(webhook);
          await jobs.send(db, recoveryQueue, { webhookId, since: since.toISOString() });
          return {};
        }),
      );
    },

    /** The work of `recover`. Doing it twice sends nothing twice. */
    async recoverMissed(
      { webhookId, since }: { webhookId: string; since: string },
      { signal }: { signal: AbortSignal },
    ): Promise<void> {
      const from = new Date(since);
      for (let position = await webhooks.positionBefore(db, from); ;) {
        signal.throwIfAborted();
        const behind = { position, since: from, limit: recoveryBatch };
        const missed = await webhooks.listEventsBehind(db, behind);
        const last = missed.at(-1);
        if (!last) return;
        position = last.position;
        await transaction(db, async (db) => {
          const webhook = await webhooks.lock(db, webhookId);
          if (!webhook) return;
          const ids = missed
            .filter(({ type }) => isSubscribed(webhook.events, type))
            .map(({ id }) => id);
          await repository.requeueFailed(db, webhookId, ids);
          await repository.insert(
            db,
            ids.map((eventId) => ({ webhookId, eventId })),
          );
          afterCommit(db, () => void bus.publish(webhooksDue, [webhookId]));
        });
      }
    },
  };

  async function get(_actor: Actor, webhookId: string, id: string): Promise<DeliveryDetail> {
    const delivery = await repository.find(db, webhookId, id);
    const event = delivery && (await repository.findEvent(db, delivery.event_id));
    if (!delivery || !event) throw notFound();
    return {
      delivery,
      request: {
        headers: {
          'content-type': 'application/json',
          'user-agent': userAgent,
          'webhook-id': event.id,
        },
        body: payloadOf(event),
      },
      attempts: await repository.listAttempts(db, id, attemptsShownMax),
    };
  }
}
