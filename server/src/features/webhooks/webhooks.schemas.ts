import { Type, type Static } from 'typebox';
import {
  closed,
  Id,
  named,
  nullable,
  oneOf,
  pageQuery,
  singleLine,
  Time,
} from '../../platform/http/schemas.ts';
import { subscriptions } from './subscriptions.ts';
import type { WebhookView } from './webhooks.service.ts';

const Subscriptions = Type.Array(oneOf(subscriptions), {
  minItems: 1,
  maxItems: subscriptions.length,
  description: 'Types, families of types (`ticket.*`), or everything (`*`).',
});

const webhookFields = {
  id: Id,
  url: Type.String(),
  description: Type.String(),
  events: Type.Array(Type.String()),
  enabled: Type.Boolean(),
  disabled_reason: nullable(
    oneOf(['by-admin', 'gone', 'failing'] as const, {
      description: '`gone`: it replied 410; `failing`: it has failed for five days.',
    }),
  ),
  failing_since: nullable({ ...Time, description: 'The first failure behind the last success.' }),
  previous_secret_expires_at: nullable({
    ...Time,
    description: 'Until then the secret before the last rotation signs too.',
  }),
  last_24_hours: Type.Object(
    { succeeded: Type.Integer(), failed: Type.Integer(), pending: Type.Integer() },
    { ...closed, description: 'Deliveries, by what became of them so far.' },
  ),
  version: Type.Integer({ description: 'Grows with every change; the ETag.' }),
  created_at: Time,
  updated_at: Time,
};

export const Webhook = named('Webhook', Type.Object(webhookFields, closed));

export const WebhookWithSecret = named(
  'WebhookWithSecret',
  Type.Object(
    {
      ...webhookFields,
      secret: Type.String({ description: 'For verifying signatures. It is not shown again.' }),
    },
    closed,
  ),
);

const Url = Type.String({
  minLength: 1,
  maxLength: 2_000,
  description: 'https, and a public address; see WEBHOOK_ALLOW for exceptions.',
});
const Description = singleLine(0, 200);

export const CreateWebhookBody = Type.Object(
  { url: Url, description: Type.Optional(Description), events: Subscriptions },
  {
    ...closed,
    examples: [
      {
        url: 'https://shop.example.com/hooks/support',
        description: 'Tells the shop',
        events: ['ticket.*', 'answer.handed_off'],
      },
    ],
  },
);

export const UpdateWebhookBody = Type.Object(
  {
    url: Type.Optional(Url),
    description: Type.Optional(Description),
    events: Type.Optional(Subscriptions),
    enabled: Type.Optional(
      Type.Boolean({ description: 'While disabled nothing is sent; what waits, waits on.' }),
    ),
  },
  { ...closed, minProperties: 1, examples: [{ enabled: false }] },
);

export const ListWebhooksQuery = Type.Object(pageQuery, closed);

export const exampleWebhook: Static<typeof Webhook> = {
  id: '0199f3a1-1a2b-7c3d-8e4f-5a6b7c8d9e01',
  url: 'https://shop.example.com/hooks/support',
  description: 'Tells the shop',
  events: ['ticket.*', 'answer.handed_off'],
  enabled: true,
  disabled_reason: null,
  failing_since: null,
  previous_secret_expires_at: null,
  last_24_hours: { succeeded: 120, failed: 0, pending: 1 },
  version: 1,
  created_at: '2026-11-02T09:00:00.000Z',
  updated_at: '2026-11-02T09:00:00.000Z',
};

export const exampleWithSecret: Static<typeof WebhookWithSecret> = {
  ...exampleWebhook,
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw3gZtQvJ1b2c=',
};

/** A webhook on the wire. */
export const presentWebhook = (webhook: WebhookView): Static<typeof Webhook> => ({
  id: webhook.id,
  url: webhook.url,
  description: webhook.description,
  events: webhook.events,
  enabled: webhook.disabled_at === null,
  disabled_reason: webhook.disabled_reason,
  failing_since: webhook.failing_since?.toISOString() ?? null,
  previous_secret_expires_at: webhook.previous_secret_until?.toISOString() ?? null,
  last_24_hours: webhook.recent,
  version: webhook.version,
  created_at: webhook.created_at.toISOString(),
  updated_at: webhook.updated_at.toISOString(),
});
