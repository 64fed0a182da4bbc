import type { Queue } from '../../platform/jobs/queue.ts';

/** Goes through the feed for what a webhook has missed. */
export const recoveryQueue: Queue<{ webhookId: string; since: string }> = {
  name: 'webhook-recoveries',
  retries: 5,
  timeoutSeconds: 600,
};

export const deliveriesCleanUpQueue: Queue = {
  name: 'webhook-deliveries-clean-up',
  retries: 2,
  timeoutSeconds: 300,
};
