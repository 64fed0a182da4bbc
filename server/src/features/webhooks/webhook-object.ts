import type { WebhookRow } from './webhooks.repository.ts';

/** What events keep of a webhook. */
export const webhookObject = (webhook: WebhookRow) => ({
  id: webhook.id,
  url: webhook.url,
  description: webhook.description,
  events: webhook.events,
  enabled: webhook.disabled_at === null,
});
