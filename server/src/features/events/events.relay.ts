import type { Kysely, Transaction } from 'kysely';
import type { Bus } from '../../platform/bus/bus.ts';
import { outsideTransaction, transaction } from '../../platform/database/transaction.ts';
import type { Tables } from '../../tables.ts';
import * as repository from './events.repository.ts';
import type { EventRow } from './events.repository.ts';

/** The newest position, whenever there are new ones. */
export const eventsPositioned = 'events.positioned';

/**
 * What is made of events: called with each of them once, in the order of their positions, in the
 * transaction that assigns these. What it writes commits with them.
 */
export type EventConsumer = (
  db: Transaction<Tables>,
  events: readonly (EventRow & { position: number })[],
) => Promise<void>;

/** Large enough for a burst, small enough for the time that a statement has. */
const batchMax = 500;
/** Between looks for events whose own process did not live to pass them on. */
const lookMs = 1_000;

/**
 * Puts committed events into one order. Ids and sequences of the database are handed out before a
 * commit, so a reader who goes by them misses what commits late; positions are assigned behind it,
 * by one instance at a time.
 */
export function createEventsRelay(dependencies: {
  db: Kysely<Tables>;
  bus: Bus;
  consumers: readonly EventConsumer[];
  logger: { error(details: object, message: string): void };
}) {
  const { db, bus, consumers, logger } = dependencies;
  let running = Promise.resolve();
  let runs = false;
  let again = false;
  let fails = false;
  let stopped = false;
  let limit = batchMax;

  function wake(): void {
    if (stopped) return;
    again = true;
    if (!runs) running = outsideTransaction(run);
  }

  async function run(): Promise<void> {
    runs = true;
    try {
      while (again) {
        again = false;
        const count = await relayBatch(limit);
        again ||= count === limit;
        limit = batchMax;
        fails = false;
      }
    } catch (error) {
      // Said once: an absent database would fill the log. The next look tries again.
      if (!fails) logger.error({ error }, 'events cannot be passed on');
      fails = true;
      // What was too much at once may be done in pieces.
      limit = Math.max(1, limit >> 1);
    }
    // In the turn that found nothing more to do: a wake-up behind it begins anew.
    runs = false;
  }

  async function relayBatch(limit: number): Promise<number> {
    const events = await transaction(db, async (db) => {
      await repository.lockRelay(db);
      const events = await repository.assignPositions(db, limit);
      if (events.length > 0) for (const consume of consumers) await consume(db, events);
      return events;
    });
    const newest = events.at(-1);
    if (newest) await bus.publish(eventsPositioned, [String(newest.position)]);
    return events.length;
  }

  const timer = setInterval(wake, lookMs);
  timer.unref();

  return {
    wake,
    /** Passes on what is recorded already, then stops. */
    async stop(): Promise<void> {
      clearInterval(timer);
      wake();
      stopped = true;
      await running;
    },
  };
}
