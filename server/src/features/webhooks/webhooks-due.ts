/** Ids of webhooks that have something to be delivered now. */
export const webhooksDue = 'webhooks.due';
