import type { Jobs } from '../../platform/jobs/jobs.ts';
import { mailQueue } from './mail.queues.ts';
import type { MailService } from './mail.service.ts';

/** Starts the sending of mails. */
export async function startMailJobs(dependencies: {
  jobs: Jobs;
  mail: MailService;
}): Promise<void> {
  const { jobs, mail } = dependencies;
  await jobs.work(mailQueue, (job, context) => mail.deliver(job, context));
}
