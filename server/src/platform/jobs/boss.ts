import type { PGlite } from '@electric-sql/pglite';
import type { Logger } from 'pino';
import { fromPglite, PgBoss, type ConstructorOptions } from 'pg-boss';
import { deadLetters, type Queue } from './queue.ts';

/** Where jobs are kept: in the database that they are about, so that both commit together. */
export type JobStore = { url: string } | { pglite: PGlite };

/** pg-boss keeps its tables here and looks after them itself. */
export const jobsSchema = 'pgboss';

/** A worker that is silent this long has died; its job is taken over. 10 is the least there is. */
const heartbeatSeconds = 10;
/** How often dead workers and jobs past their time are looked for. */
const superviseSeconds = 10;
/** For what is not used (flows of jobs) or in no hurry (cron): an idle process should be idle. */
const seldomSeconds = 45;

/** Makes and updates pg-boss's own tables, and the queues. Safe to run on many instances at once. */
export async function installJobs(store: JobStore, queues: readonly Queue[]): Promise<void> {
  const boss = createBoss(store, { migrate: true, supervise: false, schedule: false });
  await boss.start();
  try {
    await declareQueues(boss, queues);
  } finally {
    await boss.stop({ graceful: false });
  }
}

export type BossOptions = { works: boolean; migrates: boolean; logger: Logger };

/** A pg-boss that has not started yet; until then nothing connects. */
export function createWorkingBoss(store: JobStore, options: BossOptions): PgBoss {
  const { works, migrates, logger } = options;
  const boss = createBoss(store, {
    migrate: migrates,
    supervise: works,
    schedule: works,
    useListenNotify: works,
  });
  boss.on('error', (error) => logger.error({ error }, 'The job queue has a problem.'));
  boss.on('warning', ({ message }) => logger.warn({ message }, 'The job queue warns.'));
  return boss;
}

function createBoss(store: JobStore, options: ConstructorOptions): PgBoss {
  return new PgBoss({
    ...('url' in store
      ? { connectionString: store.url, max: 3, application_name: 'support-assistant-jobs' }
      : { db: fromPglite(store.pglite), backend: 'pglite' as const }),
    schema: jobsSchema,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
    cronMonitorIntervalSeconds: seldomSeconds,
    cronWorkerIntervalSeconds: seldomSeconds,
    flowIntervalSeconds: seldomSeconds,
    monitorVacuum: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
    ...options,
  });
}

/** Makes the queues that are missing, and tells the others what holds now. */
export async function declareQueues(boss: PgBoss, queues: readonly Queue[]): Promise<void> {
  const known = new Set((await boss.getQueues()).map(({ name }) => name));
  if (!known.has(deadLetters)) await boss.createQueue(deadLetters);
  for (const queue of queues) {
    const options = optionsOf(queue);
    if (known.has(queue.name)) await boss.updateQueue(queue.name, options);
    else await boss.createQueue(queue.name, { ...options, policy: policyOf(queue) });
  }
}

const policyOf = ({ coalesces }: Queue): 'stately' | 'standard' =>
  coalesces ? 'stately' : 'standard';

const optionsOf = (queue: Queue) => ({
  deadLetter: deadLetters,
  retryLimit: queue.retries,
  retryDelay: queue.retryDelaySeconds ?? 1,
  retryDelayMax: queue.retryDelayMaxSeconds ?? 300,
  retryBackoff: true,
  expireInSeconds: queue.timeoutSeconds,
  heartbeatSeconds,
  notify: true,
});
