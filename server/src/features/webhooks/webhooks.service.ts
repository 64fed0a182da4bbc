import type { Kysely, Transaction } from 'kysely';
import { AppError, invalidField, notFound } from '../../errors.ts';
import type { Bus } from '../../platform/bus/bus.ts';
import { once, type IdempotencyScope } from '../../platform/database/idempotency.ts';
import { decodeCursor, pageOf, type Page } from '../../platform/database/page.ts';
import { afterCommit, transaction } from '../../platform/database/transaction.ts';
import { requireVersion, type IfMatch } from '../../platform/database/version.ts';
import type { Outbound } from '../../platform/outbound/outbound.ts';
import type { Sealer } from '../../platform/sealing.ts';
import type { Tables } from '../../tables.ts';
import type { Actor } from '../auth/actor.ts';
import { personOf } from '../events/event-actors.ts';
import type { EventType } from '../events/event-types.ts';
import type { EventsService } from '../events/events.service.ts';
import * as deliveries from './deliveries.repository.ts';
import { newSecret } from './signature.ts';
import { webhookObject } from './webhook-object.ts';
import { webhooksDue } from './webhooks-due.ts';
import { requireEnabled } from './webhooks.policy.ts';
import * as repository from './webhooks.repository.ts';
import type { WebhookRow, WebhookView } from './webhooks.repository.ts';

export type { WebhookView } from './webhooks.repository.ts';

export type CreateWebhook = { url: string; description?: string; events: string[] };
export type UpdateWebhook = Partial<CreateWebhook> & { enabled?: boolean };

/** A webhook with its secret, which is shown when it is new and never again. */
export type WithSecret = { webhook: WebhookView; secret: string };

/** More would make every event expensive; who needs more puts a broker behind one. */
const webhooksMax = 100;
const overlapMs = 24 * 60 * 60 * 1_000;

export type WebhooksService = ReturnType<typeof createWebhooksService>;

export function createWebhooksService(dependencies: {
  db: Kysely<Tables>;
  bus: Bus;
  events: EventsService;
  outbound: Pick<Outbound, 'check'>;
  sealer: Sealer;
}) {
  const { db, bus, events, outbound, sealer } = dependencies;

  return {
    async list(
      actor: Actor,
      { limit, cursor }: { limit: number; cursor: string | undefined },
    ): Promise<Page<WebhookView>> {
      const boundTo = ['webhooks', actor.id];
      const after = cursor === undefined ? undefined : decodeCursor(cursor, boundTo);
      const rows = await repository.list(db, { limit, after });
      return pageOf(rows, limit, boundTo, (row) => row.created_at.toISOString());
    },

    get: (_actor: Actor, id: string): Promise<WebhookView> => getWebhook(id),

    /** With a key, the same request again returns what the first one made (`replayed`). */
    async create(
      actor: Actor,
      input: CreateWebhook,
      idempotency: Omit<IdempotencyScope, 'userId'> | undefined,
    ): Promise<WithSecret & { replayed: boolean }> {
      await requireDestination(input.url);
      const outcome = await transaction(db, async (db) => {
        const make = async () => ({ status: 201, body: await insert(db, actor, input) });
        if (!idempotency) return { kind: 'fresh' as const, ...(await make()) };
        return once(db, { ...idempotency, userId: actor.id }, make);
      });
      if (outcome.kind === 'in-flight') {
        throw new AppError('idempotency-key-in-flight', 'A request with this key is running.');
      }
      if (outcome.kind === 'reused') {
        throw new AppError('idempotency-key-reused', 'This key was used with another body.');
      }
      const webhook = await getWebhook(outcome.body.id);
      // Of a repeated request the secret that it made, whatever it is now.
      const secret = sealer.open(outcome.body.secret) ?? '';
      return { webhook, secret, replayed: outcome.kind === 'replayed' };
    },

    async update(
      actor: Actor,
      id: string,
      { enabled, ...input }: UpdateWebhook,
      ifMatch: IfMatch,
    ): Promise<WebhookView> {
      if (input.url !== undefined) await requireDestination(input.url);
      await change(actor, id, 'webhook.updated', async (db, webhook) => {
        requireVersion(webhook, ifMatch);
        if (enabled) afterCommit(db, () => void bus.publish(webhooksDue, [id]));
        const changes = {
          ...input,
          ...(input.events && { events: [...new Set(input.events)] }),
          // What is known of the old place says nothing of the new one.
          ...(input.url !== undefined && input.url !== webhook.url && { failing_since: null }),
        };
        return repository.update(db, id, { ...changes, ...standing(webhook, enabled) });
      });
      return getWebhook(id);
    },

    /** Deletes it with its log. */
    async remove(actor: Actor, id: string, ifMatch: IfMatch): Promise<void> {
      await change(actor, id, 'webhook.removed', async (db, webhook) => {
        requireVersion(webhook, ifMatch);
        await repository.remove(db, id);
        return webhook;
      });
    },

    /** A new secret; the old one signs too for a day, so that receivers can change over. */
    async rotateSecret(actor: Actor, id: string): Promise<WithSecret> {
      const secret = newSecret();
      await change(actor, id, 'webhook.secret_rotated', (db, webhook) =>
        repository.update(db, id, {
          secret: sealer.seal(secret),
          ...(sealer.open(webhook.secret) === undefined
            ? { previous_secret: null, previous_secret_until: null }
            : {
                previous_secret: webhook.secret,
                previous_secret_until: new Date(Date.now() + overlapMs),
              }),
        }),
      );
      return { webhook: await getWebhook(id), secret };
    },

    /** Sends a `webhook.test` event to this webhook alone; returns the id of its delivery. */
    async test(actor: Actor, id: string): Promise<string> {
      return transaction(db, async (db) => {
        const webhook = await repository.lock(db, id);
        if (!webhook) throw notFound();
        requireEnabled(webhook);
        const eventId = await record(db, actor, 'webhook.test', webhook);
        afterCommit(db, () => void bus.publish(webhooksDue, [id]));
        const [delivery] = await deliveries.insert(db, [{ webhookId: id, eventId }]);
        return delivery ?? '';
      });
    },
  };

  async function insert(
    db: Transaction<Tables>,
    actor: Actor,
    { url, description = '', events: subscriptions }: CreateWebhook,
  ): Promise<{ id: string; secret: string }> {
    if ((await repository.count(db)) >= webhooksMax) {
      throw new AppError('too-many-webhooks', `There may be ${webhooksMax} webhooks; remove one.`);
    }
    const secret = sealer.seal(newSecret());
    const row = { url, description, events: [...new Set(subscriptions)], secret };
    const webhook = await repository.insert(db, row);
    await record(db, actor, 'webhook.created', webhook);
    return { id: webhook.id, secret };
  }

  /** Changes a locked webhook and records it, in one transaction. */
  async function change(
    actor: Actor,
    id: string,
    type: EventType & `webhook.${string}`,
    work: (db: Transaction<Tables>, webhook: WebhookRow) => Promise<WebhookRow>,
  ): Promise<void> {
    await transaction(db, async (db) => {
      const before = await repository.lock(db, id);
      if (!before) throw notFound();
      const after = await work(db, before);
      const isUpdate = type === 'webhook.updated';
      await record(db, actor, type, after, isUpdate ? webhookObject(before) : undefined);
    });
  }

  function record(
    db: Transaction<Tables>,
    actor: Actor,
    type: EventType & `webhook.${string}`,
    webhook: WebhookRow,
    previous?: Record<string, unknown>,
  ): Promise<string> {
    const data = webhookObject(webhook);
    const subjectId = webhook.id;
    return events.record(db, { type, actor: personOf(actor), subjectId, data, previous });
  }

  async function getWebhook(id: string): Promise<WebhookView> {
    const webhook = await repository.find(db, id);
    if (!webhook) throw notFound();
    return webhook;
  }

  async function requireDestination(url: string): Promise<void> {
    const check = await outbound.check(url);
    if (!check.ok) throw invalidField('/url', check.reason, check.message);
  }
}

/** Enabling makes a fresh start; what waited meanwhile goes out. */
function standing(webhook: WebhookRow, enabled: boolean | undefined) {
  if (enabled === undefined || enabled === (webhook.disabled_at === null)) return {};
  return enabled
    ? { disabled_at: null, disabled_reason: null, failing_since: null }
    : { disabled_at: new Date(), disabled_reason: 'by-admin' as const };
}
