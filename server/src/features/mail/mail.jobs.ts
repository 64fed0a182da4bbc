import type { Jobs } from '../../platform/jobs/jobs.ts';
import { mailCleanUpQueue, mailQueue } from './mail.queues.ts';
import type { MailService } from './mail.service.ts';

/** Starts the sending of mails. */
export async function startMailJobs(dependencies: {
  jobs: Jobs;
  mail: MailService;
  /** Further records of old mails, which another feature keeps. */
  removeOldTokens: () => Promise<void>;
}): Promise<void> {
  const { jobs, mail, removeOldTokens } = dependencies;
  await jobs.work(mailQueue, (job, context) => mail.deliver(job, context));
  await jobs.work(mailCleanUpQueue, async () => {
    await mail.cleanUp();
    await removeOldTokens();
  });
  await jobs.schedule(mailCleanUpQueue, '41 3 * * *');
}
