import {
  calibrationQueue,
  importQueue,
  knowledgeCleanUpQueue,
  reindexQueue,
} from './features/knowledge/knowledge.queues.ts';
import { deliveriesCleanUpQueue, recoveryQueue } from './features/webhooks/webhooks.queues.ts';
import { mailCleanUpQueue, mailQueue } from './features/mail/mail.queues.ts';
import type { Queue } from './platform/jobs/queue.ts';

/** All queues of background work; `migrate` and every start make those that are missing. */
export const queues: readonly Queue[] = [
  calibrationQueue,
  importQueue,
  knowledgeCleanUpQueue,
  mailCleanUpQueue,
  mailQueue,
  reindexQueue,
  recoveryQueue,
  deliveriesCleanUpQueue,
];
