import { fromKysely } from 'pg-boss';
import type { Transaction } from 'kysely';
import { createWorkingBoss, declareQueues, type BossOptions, type JobStore } from './boss.ts';
import { inSpan } from '../telemetry/spans.ts';
import type { Queue } from './queue.ts';

export type Jobs = ReturnType<typeof createJobs>;

export type JobHandler<Data> = (data: Data, context: { signal: AbortSignal }) => Promise<void>;

export type SendOptions = {
  /** What the job is about, for queues that coalesce. */
  key?: string;
  /** Not before this many seconds have passed. */
  afterSeconds?: number;
};

/** Between looks at a queue, in seconds: a notice comes at once, but not for retries and delays. */
const pollSeconds = 2;
/** With more waiting, a worker takes the next job at once instead of at the next look. */
const burstAbove = 5;
const failed = 'The job queue cannot be used.';
/** PostgreSQL's own code for "not now, but later". */
const cannotConnectNow = '57P03';
/** A handler that is told to stop has this long before the database goes away under it. */
const abandonMs = 5_000;

/**
 * Background work that survives the process. A process with `works: false` sends, and leaves the
 * work to others. `migrates` lets it make and update the tables of the queue.
 */
export function createJobs(store: JobStore, options: BossOptions & { queues: readonly Queue[] }) {
  const { works, migrates, queues, logger } = options;
  const boss = createWorkingBoss(store, options);
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  let isReady = false;

  /** Learns the queues too, so that sending needs no look-up. */
  async function begin(attempts: number): Promise<void> {
    await boss.start({ attempts });
    await declareQueues(boss, queues);
    isReady = true;
    ready.resolve();
  }

  /** Now, or when the tables are there. */
  async function whenReady(begin: () => Promise<unknown>): Promise<void> {
    if (isReady) await begin();
    else void ready.promise.then(begin).catch((error: unknown) => logger.error({ error }, failed));
  }

  return {
    /** Connects. Where `migrate` is a step of its own that has not run yet, it is waited for behind. */
    async start(): Promise<void> {
      try {
        await begin(1);
      } catch (error) {
        if (migrates) throw error;
        logger.warn({ error }, 'The job queue cannot start yet.');
        void begin(Number.MAX_SAFE_INTEGER).catch((error: unknown) => {
          if (!stopping.signal.aborted) logger.error({ error }, failed);
        });
      }
    },

    /**
     * Leaves a job in the transaction of the change that calls for it: it runs when that commits, a
     * few milliseconds later, and not when it rolls back. In a queue that coalesces it is dropped
     * while one with its key waits; that one may start before the transaction commits, so its handler
     * must lock what the sender has locked before it reads.
     */
    async send<Tables, Data extends object>(
      db: Transaction<Tables>,
      queue: Queue<Data>,
      data: Data,
      { key, afterSeconds }: SendOptions = {},
    ): Promise<void> {
      // A look-up of the queue would wait for ever behind this very transaction, on one connection.
      if (!isReady) throw Object.assign(new Error(failed), { code: cannotConnectNow });
      await boss.send(queue.name, data, {
        db: fromKysely(db),
        ...(key !== undefined && { singletonKey: key }),
        ...(afterSeconds !== undefined && { startAfter: afterSeconds }),
      });
    },

    /** Gives the queue's jobs to `handler`, as many at a time as the queue says. One that throws is tried again later. */
    async work<Data extends object>(queue: Queue<Data>, handler: JobHandler<Data>): Promise<void> {
      if (!works) return;
      const settings = {
        includeMetadata: true,
        notifyPollingIntervalSeconds: pollSeconds,
        burstWhenReadyExceeds: burstAbove,
        localConcurrency: queue.concurrency ?? 1,
      } as const;
      await whenReady(() =>
        boss.work<Data, void, typeof settings>(queue.name, settings, async ([job]) => {
          if (!job) return;
          const signal = AbortSignal.any([job.signal, stopping.signal]);
          const isLastTry = job.retryCount >= job.retryLimit;
          const log = (error: unknown): void =>
            logger.error(
              { error, queue: queue.name, job: job.id, try: job.retryCount + 1 },
              isLastTry ? 'A job has failed for the last time.' : 'A job failed; it runs again.',
            );
          const run = inSpan(`job ${queue.name}`, { 'job.id': job.id }, () =>
            runLogged(handler, job.data, signal, log),
          );
          running.add(run);
          await run.finally(() => running.delete(run));
        }),
      );
    },

    /** Runs a job of the queue by a cron expression (UTC), on one instance each time. */
    async schedule(queue: Queue, cron: string): Promise<void> {
      if (works) await whenReady(() => boss.schedule(queue.name, cron));
    },

    /**
     * Takes no more jobs and gives those that run `drainMs`; what is not done by then is told to stop
     * and runs again elsewhere. Call it before the database closes.
     */
    async stop(drainMs: number): Promise<void> {
      const stopped = boss.stop({ graceful: drainMs > 0, timeout: drainMs });
      await stopped.finally(() => stopping.abort());
      const patience = AbortSignal.timeout(abandonMs);
      const abandoned = new Promise((resolve) => patience.addEventListener('abort', resolve));
      await Promise.race([Promise.allSettled(running), abandoned]);
    },
  };
}

/** Of an error only its name and message are stored with the job: others may read them there. */
async function runLogged<Data>(
  handler: JobHandler<Data>,
  data: Data,
  signal: AbortSignal,
  log: (error: unknown) => void,
): Promise<void> {
  try {
    await handler(data, { signal });
  } catch (error) {
    log(error);
    throw error instanceof Error ? new Error(`${error.name}: ${error.message}`) : error;
  }
}
