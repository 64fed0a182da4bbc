/**
 * What happens in the product, for everybody who may see its subject: in the feed, on the timeline of
 * a ticket, in webhooks.
 */
export const publicEventTypes = [
  'ticket.created',
  'ticket.updated',
  'ticket.status_changed',
  'ticket.assigned',
  'message.created',
  'answer.completed',
  'answer.handed_off',
  'answer.cancelled',
  'answer.superseded',
  'answer.rated',
  'article.published',
  'user.created',
  'user.erased',
] as const;

export type PublicEventType = (typeof publicEventTypes)[number];

/** What only the audit log shows. */
export const auditEventTypes = [
  'article.created',
  'article.updated',
  'article.removed',
  'user.updated',
  'user.signed_in',
  'user.password_changed',
  'user.password_reset',
  'user.invited',
  'settings.updated',
  'webhook.created',
  'webhook.updated',
  'webhook.removed',
  'webhook.secret_rotated',
  'webhook.disabled',
  'webhook.test',
  'api_key.created',
  'api_key.revoked',
] as const;

export type EventType = PublicEventType | (typeof auditEventTypes)[number];
