import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { EraseService } from './erase.service.ts';
import { eraseQueue, retentionQueue } from './privacy.queues.ts';
import type { RetentionService } from './retention.service.ts';

/** Starts the erasing of people, and of what is older than it is kept. */
export async function startPrivacyJobs(dependencies: {
  jobs: Jobs;
  erasing: EraseService;
  retention: RetentionService;
}): Promise<void> {
  const { jobs, erasing, retention } = dependencies;
  await jobs.work(eraseQueue, (job, context) => erasing.erasePerson(job, context));
  await jobs.work(retentionQueue, (_data, context) => retention.run(context));
  await jobs.schedule(retentionQueue, '23 3 * * *');
}
