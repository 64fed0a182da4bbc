import type { Kysely, Transaction } from 'kysely';
import { AppError, invalidField, notFound, secretGone } from '../../errors.ts';
import type { Bus } from '../../platform/bus/bus.ts';
import { once, type Effect, type Idempotency } from '../../platform/database/idempotency.ts';
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
export type WithSecret = { webhook: WebhookView; secret: string; replayed: boolean };
/** What is kept of a request that made a secret. */
type Sealed = { id: string; secret: string };

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

    /** A repeated request gets the secret that it made, whatever it is now. */
    async create(
      actor: Actor,
      input: CreateWebhook,
      idempotency: Idempotency | undefined,
    ): Promise<WithSecret> {
      await requireDestination(input.url);
      const made = await transaction(db, (db) =>
        once(db, actor.id, idempotency, () => insert(db, actor, input)),
      );
      return withSecret(made);
    },

    async update(
      actor: Actor,
      id: string,
      { enabled, ...input }: UpdateWebhook,
      ifMatch: IfMatch,
    ): Promise<WebhookView> {
      if (input.url !== undefined) await requireDestination(input.url);
      await transaction(db, (db) =>
        change(db, actor, id, 'webhook.updated', (webhook) => {
          requireVersion(webhook, ifMatch);
          if (enabled) afterCommit(db, () => void bus.publish(webhooksDue, [id]));
          const changes = {
            ...input,
            ...(input.events && { events: [...new Set(input.events)] }),
            // What is known of the old place says nothing of the new one.
            ...(input.url !== undefined && input.url !== webhook.url && { failing_since: null }),
          };
          return repository.update(db, id, { ...changes, ...standing(webhook, enabled) });
        }),
      );
      return getWebhook(id);
    },

    /** Deletes it with its log. */
    async remove(actor: Actor, id: string, ifMatch: IfMatch): Promise<void> {
      await transaction(db, (db) =>
        change(db, actor, id, 'webhook.removed', async (webhook) => {
          requireVersion(webhook, ifMatch);
          await repository.remove(db, id);
          return webhook;
        }),
      );
    },

    /** A new secret; the old one signs too for a day, so that receivers can change over. */
    async rotateSecret(
      actor: Actor,
      id: string,
      idempotency: Idempotency | undefined,
    ): Promise<WithSecret> {
      const rotated = await transaction(db, (db) =>
        once(db, actor.id, idempotency, async () => {
          const secret = sealer.seal(newSecret());
          await change(db, actor, id, 'webhook.secret_rotated', (webhook) =>
            repository.update(db, id, { secret, ...previousOf(webhook) }),
          );
          return { id, secret };
        }),
      );
      return withSecret(rotated);
    },

    /** Seals anew what an earlier SECRET_KEY has sealed, so that that one can go. */
    async resealSecrets(): Promise<void> {
      for (const id of await repository.listIds(db)) {
        await transaction(db, async (db) => {
          const webhook = await repository.lock(db, id);
          if (webhook) await repository.saveSecrets(db, id, resealed(webhook));
        });
      }
    },

    /** Sends a `webhook.test` event to this webhook alone; returns the id of its delivery. */
    test(
      actor: Actor,
      id: string,
      idempotency: Idempotency | undefined,
    ): Promise<Effect<{ deliveryId: string }>> {
      return transaction(db, (db) =>
        once(db, actor.id, idempotency, async () => {
          const webhook = await repository.lock(db, id);
          if (!webhook) throw notFound();
          requireEnabled(webhook);
          const eventId = await record(db, actor, 'webhook.test', webhook);
          afterCommit(db, () => void bus.publish(webhooksDue, [id]));
          const [deliveryId = ''] = await deliveries.insert(db, [{ webhookId: id, eventId }]);
          return { deliveryId };
        }),
      );
    },
  };

  async function insert(
    db: Transaction<Tables>,
    actor: Actor,
    { url, description = '', events: subscriptions }: CreateWebhook,
  ): Promise<Sealed> {
    if ((await repository.count(db)) >= webhooksMax) {
      throw new AppError('too-many-webhooks', `There may be ${webhooksMax} webhooks; remove one.`);
    }
    const secret = sealer.seal(newSecret());
    const row = { url, description, events: [...new Set(subscriptions)], secret };
    const webhook = await repository.insert(db, row);
    await record(db, actor, 'webhook.created', webhook);
    return { id: webhook.id, secret };
  }

  /** Changes a locked webhook and records it. */
  async function change(
    db: Transaction<Tables>,
    actor: Actor,
    id: string,
    type: EventType & `webhook.${string}`,
    work: (webhook: WebhookRow) => Promise<WebhookRow>,
  ): Promise<void> {
    const before = await repository.lock(db, id);
    if (!before) throw notFound();
    const after = await work(before);
    const isUpdate = type === 'webhook.updated';
    await record(db, actor, type, after, isUpdate ? webhookObject(before) : undefined);
  }

  /** One that nobody can read any more signs nothing either. */
  function previousOf({ secret }: WebhookRow) {
    if (sealer.open(secret) === undefined) {
      return { previous_secret: null, previous_secret_until: null };
    }
    return { previous_secret: secret, previous_secret_until: new Date(Date.now() + overlapMs) };
  }

  function resealed({ secret, previous_secret: previous }: WebhookRow) {
    const reseal = (sealed: string): string =>
      sealer.isOutdated(sealed) ? sealer.seal(sealer.open(sealed) ?? '') : sealed;
    return { secret: reseal(secret), previous_secret: previous && reseal(previous) };
  }

  async function withSecret({ body, replayed }: Effect<Sealed>): Promise<WithSecret> {
    const secret = sealer.open(body.secret);
    if (secret === undefined) throw secretGone();
    return { webhook: await getWebhook(body.id), secret, replayed };
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
