import type { Transaction } from 'kysely';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { Queue } from '../../platform/jobs/queue.ts';
import type { Tables } from '../../tables.ts';

/** Works through an import, from wherever it stands. */
export const importQueue: Queue<{ importId: string }> = {
  name: 'articles.import',
  retries: 20,
  retryDelayMaxSeconds: 60,
  timeoutSeconds: 3_600,
};

/** Deletes what publications and imports have left behind. */
export const knowledgeCleanUpQueue: Queue = {
  name: 'knowledge.clean-up',
  retries: 3,
  timeoutSeconds: 600,
};

/** Learns anew when to answer, after the published articles have changed. */
export const calibrationQueue: Queue = {
  name: 'knowledge.calibrate',
  retries: 2,
  retryDelaySeconds: 30,
  timeoutSeconds: 600,
  coalesces: true,
};

/** How long changes are gathered before the gate is calibrated for all of them. */
const calibrationSeconds = 30;

/** Has the gate calibrated soon, and once for many changes. */
export const requestCalibration = (jobs: Jobs, db: Transaction<Tables>): Promise<void> =>
  jobs.send(db, calibrationQueue, {}, { key: 'all', afterSeconds: calibrationSeconds });

/** Indexes all published articles anew, after the language has changed. */
export const reindexQueue: Queue = {
  name: 'knowledge.reindex',
  retries: 10,
  timeoutSeconds: 3_600,
};
