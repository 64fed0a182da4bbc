import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { AppError, notFound } from '../../errors.ts';
import { countWaiting } from '../../platform/jobs/waiting-jobs.ts';
import type { Tables } from '../../tables.ts';
import { createMeters } from './meters.ts';
import { createBacklogGauges, createProcessGauges, type Readings } from './metrics.gauges.ts';
import { readBacklog } from './metrics.repository.ts';

/** A scrape asks the database no more often than this, however many ask. */
const backlogMs = 5_000;
/** A database that has not answered by now is down, for whoever asks. */
const databaseTimeoutMs = 1_500;

export type MetricsService = ReturnType<typeof createMetricsService>;

/** What Prometheus reads. Without a token nothing of the process is collected, and nobody reads. */
export function createMetricsService(dependencies: {
  db: Kysely<Tables>;
  token: string | undefined;
  look(): Readings;
}) {
  const { db, token, look } = dependencies;
  const registry = new Registry();
  const meters = createMeters(registry);
  const setProcess = createProcessGauges(registry);
  const setBacklog = createBacklogGauges(registry);
  if (token !== undefined) collectDefaultMetrics({ register: registry });
  let backlog: Promise<Parameters<typeof setBacklog>[0]> | undefined;

  /** One look for all who ask at the same time. */
  function currentBacklog() {
    if (backlog) return backlog;
    backlog = Promise.race([
      lookAtDatabase().catch(() => undefined),
      delay(databaseTimeoutMs, undefined, { ref: false }),
    ]);
    void delay(backlogMs, undefined, { ref: false }).then(() => (backlog = undefined));
    return backlog;
  }

  const lookAtDatabase = async () => ({
    ...(await readBacklog(db)),
    jobs: await countWaiting(db),
  });

  return {
    meters,
    contentType: registry.contentType,

    /** Everything, as Prometheus reads it. Throws 404 without a token, and 401 for a wrong one. */
    async read(given: string | undefined): Promise<string> {
      if (token === undefined) throw notFound();
      if (!isSame(given ?? '', token)) {
        throw new AppError('unauthenticated', 'Send METRICS_TOKEN as a bearer token.', {
          details: { headers: { 'www-authenticate': 'Bearer realm="metrics"' } },
        });
      }
      setProcess(look());
      setBacklog(await currentBacklog());
      return registry.metrics();
    },
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const isSame = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other));
