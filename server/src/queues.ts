import {
  calibrationQueue,
  importQueue,
  knowledgeCleanUpQueue,
  reindexQueue,
} from './features/knowledge/knowledge.queues.ts';
import { recoveryQueue } from './features/webhooks/webhooks.queues.ts';
import { mailQueue } from './features/mail/mail.queues.ts';
import { eraseQueue, retentionQueue } from './features/privacy/privacy.queues.ts';
import type { Queue } from './platform/jobs/queue.ts';

/** All queues of background work; `migrate` and every start make those that are missing. */
export const queues: readonly Queue[] = [
  calibrationQueue,
  importQueue,
  knowledgeCleanUpQueue,
  mailQueue,
  reindexQueue,
  recoveryQueue,
  eraseQueue,
  retentionQueue,
];
