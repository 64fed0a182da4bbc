import type { Queue } from '../../platform/jobs/queue.ts';

/** Goes through the feed for what a webhook has missed. */
export const recoveryQueue: Queue<{ webhookId: string; since: string }> = {
  name: 'webhook-recoveries',
  retries: 5,
  timeoutSeconds: 600,
};
