import type { Queue } from '../../platform/jobs/queue.ts';

export type EraseJob = {
  userId: string;
  /** Goes through everything once more, for what was on its way when it was erased. */
  again?: boolean;
};

/** Takes away what a person wrote, from wherever the last try stopped. */
export const eraseQueue: Queue<EraseJob> = {
  name: 'privacy.erase',
  retries: 20,
  retryDelayMaxSeconds: 300,
  timeoutSeconds: 3_600,
};

/** Everything that was under way when an account ended has ended by then: requests, attempts, mails. */
export const lookAgainSeconds = 120;

/** Forgets what is older than it is kept. */
export const retentionQueue: Queue = {
  name: 'privacy.retention',
  retries: 5,
  timeoutSeconds: 3_600,
};
