import type { Queue } from '../../platform/jobs/queue.ts';

/** What a mail is about: an event, or the row of an account token. */
export type MailKind =
  'agent-replied' | 'ticket-resolved' | 'webhook-disabled' | 'password-reset' | 'invitation';

export type MailJob = {
  /** Of the mail: the same at every attempt. */
  mailId: string;
  kind: MailKind;
  userId: string;
  /** The id of the event or the account token. */
  aboutId: string;
};

/** One mail each. Tried for about four hours: after that its news is old. */
export const mailQueue: Queue<MailJob> = {
  name: 'mails',
  retries: 16,
  retryDelaySeconds: 2,
  retryDelayMaxSeconds: 1_800,
  timeoutSeconds: 120,
  concurrency: 4,
};
