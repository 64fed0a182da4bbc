import type { Kysely } from 'kysely';
import { transaction } from '../../platform/database/transaction.ts';
import type { OutboundResult } from '../../platform/outbound/outbound.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tables } from '../../tables.ts';
import { systemActor } from '../events/event-actors.ts';
import type { EventsService } from '../events/events.service.ts';
import * as deliveries from './deliveries.repository.ts';
import type { Claimed, Ended } from './deliveries.repository.ts';
import { judge } from './schedule.ts';
import * as repository from './webhooks.repository.ts';
import { webhookObject } from './webhook-object.ts';

export type AttemptResult = { claimed: Claimed; result: OutboundResult };

export type RecordAttempts = ReturnType<typeof createRecordAttempts>;

/** How much of a reply the log keeps. */
const responseBodyLengthMax = 4_000;

/**
 * Records how attempts ended, all of them in one transaction: the log, what becomes of the
 * deliveries, and which webhooks are failing, or dead.
 */
export function createRecordAttempts(dependencies: {
  db: Kysely<Tables>;
  events: EventsService;
  clock: Clock;
  /** Waits before each attempt. */
  scheduleMs: readonly number[];
  /** A webhook that has failed for this long is disabled. */
  failingMs: number;
  onRecorded(end: Ended): void;
}) {
  const { db, events, clock, scheduleMs, failingMs, onRecorded } = dependencies;

  return async function record(results: readonly AttemptResult[]): Promise<void> {
    const ends = results.map((result) => endOf(result));
    await transaction(db, async (db) => {
      const placesOf = (is: (end: ReturnType<typeof endOf>) => boolean): string[] => [
        ...new Set(ends.filter(is).map(({ place }) => place)),
      ];
      const answering = placesOf(({ end }) => end.outcome === 'succeeded');
      const failing = placesOf(({ end }) => end.outcome === 'failed').filter(
        (place) => !answering.includes(place),
      );
      // Webhooks before deliveries, as everybody locks them.
      await repository.recordHealth(db, { answering, failing });
      await deliveries.recordEnds(
        db,
        ends.map(({ end }) => end),
      );
      const gone = placesOf(({ isGone }) => isGone);
      for (const webhook of await repository.disableDead(db, { gone, failing, failingMs })) {
        await events.record(db, {
          type: 'webhook.disabled',
          actor: systemActor,
          subjectId: webhook.id,
          data: { ...webhookObject(webhook), reason: webhook.disabled_reason },
        });
      }
    });
    for (const { end } of ends) onRecorded(end);
  };

  function endOf({ claimed, result }: AttemptResult) {
    const { id, number, tries } = claimed;
    const place = repository.placeOf(claimed.webhook_id, claimed.url);
    const facts = { id, number, tries, durationMs: result.durationMs, ...responseOf(result) };
    if (result.kind === 'failure' && result.reason === 'aborted') {
      const end: Ended = { ...facts, outcome: 'interrupted', state: 'pending', dueInMs: 0 };
      return { place, end, isGone: false };
    }
    const now = clock.now();
    const verdict = judge(result, { tries, scheduleMs, random: Math.random(), now });
    if (verdict.outcome === 'succeeded') {
      const end: Ended = { ...facts, outcome: 'succeeded', state: 'succeeded', dueInMs: null };
      return { place, end, isGone: false };
    }
    const { retryAfterMs: dueInMs, isGone } = verdict;
    const state = dueInMs === null ? ('failed' as const) : ('pending' as const);
    const end: Ended = { ...facts, outcome: 'failed', state, dueInMs };
    return { place, end, isGone };
  }
}

function responseOf(result: OutboundResult) {
  if (result.kind === 'failure') {
    const { reason: failure, message } = result;
    return { status: null, failure, message, responseHeaders: null, responseBody: null };
  }
  return {
    status: result.status,
    failure: result.status >= 200 && result.status < 300 ? null : 'status',
    message: null,
    responseHeaders: result.headers,
    responseBody: result.body.slice(0, responseBodyLengthMax).toWellFormed(),
  };
}
