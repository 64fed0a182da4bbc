import type { Registry } from 'prom-client';
import { createGauge } from './meters.ts';
import type { WaitingJobs } from '../../platform/jobs/waiting-jobs.ts';
import type { Backlog } from './metrics.repository.ts';

/** Where this process stands now. */
export type Readings = {
  streams: { live: number; answer: number };
  /** Undefined on the embedded database. */
  connections: { total: number; idle: number; waiting: number } | undefined;
  providers: { provider: string; model: string; isLeftAlone: boolean }[];
  isBusUp: boolean;
  /** Undefined when limits are not meant to be shared. */
  areLimitsShared: boolean | undefined;
};

/** Gauges of this process. */
export function createProcessGauges(registry: Registry) {
  const streams = createGauge(registry, 'streams_open', 'Open streams, by what they show.', [
    'kind',
  ]);
  const connections = createGauge(
    registry,
    'database_connections',
    'Connections of the pool, and statements that wait for one.',
    ['state'],
  );
  const breaker = createGauge(
    registry,
    'ai_breaker_open',
    '1 while a provider that keeps failing is left alone.',
    ['provider', 'model'],
  );
  const bus = createGauge(registry, 'bus_up', '1 while instances hear of each other at once.');
  const limits = createGauge(
    registry,
    'rate_limits_shared',
    '1 while instances count together in Redis, 0 while each counts for itself.',
  );

  return function set(now: Readings): void {
    streams.set({ kind: 'live' }, now.streams.live);
    streams.set({ kind: 'answer' }, now.streams.answer);
    if (now.connections) {
      const { total, idle, waiting } = now.connections;
      connections.set({ state: 'used' }, total - idle);
      connections.set({ state: 'idle' }, idle);
      connections.set({ state: 'waiting' }, waiting);
    }
    for (const { isLeftAlone, ...labels } of now.providers) breaker.set(labels, +isLeftAlone);
    bus.set(+now.isBusUp);
    limits.set(+(now.areLimitsShared ?? false));
  };
}

/** Gauges of what all instances have in common: each of them reports the same. */
export function createBacklogGauges(registry: Registry) {
  const up = createGauge(registry, 'database_up', '1 when the database answered this scrape.');
  const one = (name: string, help: string) => createGauge(registry, name, help);
  const plain = {
    events: one('events_waiting', 'Events without their place in the feed.'),
    eventsAge: one('events_waiting_oldest_seconds', 'Age of the oldest of them.'),
    answersAge: one('answers_queued_oldest_seconds', 'Age of the oldest answer that waits.'),
    deliveries: one('webhook_deliveries_pending', 'Deliveries that are not taken yet.'),
    deliveriesAge: one('webhook_deliveries_pending_oldest_seconds', 'Age of the oldest of them.'),
    deliveriesLate: one('webhook_deliveries_late_seconds', 'How long the latest is overdue.'),
  };
  const answers = createGauge(registry, 'answers_live', 'Answers that have not ended.', ['state']);
  const jobs = createGauge(registry, 'jobs_waiting', 'Background jobs that are not done.', [
    'queue',
    'state',
  ]);

  return function set(backlog: (Backlog & { jobs: WaitingJobs[] }) | undefined): void {
    up.set(+(backlog !== undefined));
    for (const gauge of [...Object.values(plain), answers, jobs]) gauge.reset();
    if (!backlog) return;
    for (const [name, gauge] of Object.entries(plain))
      gauge.set(backlog[name as keyof typeof plain]);
    answers.set({ state: 'queued' }, backlog.answersQueued);
    answers.set({ state: 'streaming' }, backlog.answersStreaming);
    for (const { queue, ...counts } of backlog.jobs) {
      for (const [state, count] of Object.entries(counts)) jobs.set({ queue, state }, count);
    }
  };
}
