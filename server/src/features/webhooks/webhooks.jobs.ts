import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { DeliveriesService } from './deliveries.service.ts';
import { deliveriesCleanUpQueue, recoveryQueue } from './webhooks.queues.ts';

/** Starts the background work on webhooks, beside the attempts, which have their own rhythm. */
export async function startWebhooksJobs(dependencies: {
  jobs: Jobs;
  deliveries: DeliveriesService;
}): Promise<void> {
  const { jobs, deliveries } = dependencies;
  await jobs.work(recoveryQueue, (data, context) => deliveries.recoverMissed(data, context));
  await jobs.work(deliveriesCleanUpQueue, (_data, context) => deliveries.cleanUp(context));
  await jobs.schedule(deliveriesCleanUpQueue, '47 * * * *');
}
