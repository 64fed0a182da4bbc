import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { DeliveriesService } from './deliveries.service.ts';
import { recoveryQueue } from './webhooks.queues.ts';

/** Starts the background work on webhooks, beside the attempts, which have their own rhythm. */
export async function startWebhooksJobs(dependencies: {
  jobs: Jobs;
  deliveries: DeliveriesService;
}): Promise<void> {
  const { jobs, deliveries } = dependencies;
  await jobs.work(recoveryQueue, (data, context) => deliveries.recoverMissed(data, context));
}
