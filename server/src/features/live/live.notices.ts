import type { Bus } from '../../platform/bus/bus.ts';
import { outsideTransaction } from '../../platform/database/transaction.ts';
import { answersStarted } from '../answers/answers-started.ts';
import type { LiveHub } from './live.hub.ts';
import type { LiveFrames } from './live.stream.ts';
import { presenceChanged, typingChanged } from './presence.policy.ts';
import { seenByCustomer } from './presence.policy.ts';
import type { PresenceService } from './presence.service.ts';

/**
 * Tells readers what is so just now: who is at a ticket, and that the assistant writes. What changed
 * is read once for all of them, and not at all while nobody reads.
 */
export function createLiveNotices(dependencies: {
  bus: Bus;
  hub: LiveHub;
  presence: PresenceService;
  frames: LiveFrames;
}) {
  const { bus, hub, presence, frames } = dependencies;
  const { readers } = hub;

  const whenRead =
    (tell: (ids: string[]) => Promise<void>) =>
    (ids: readonly string[]): void => {
      if (readers.size === 0) return;
      // The database is away: it is about a moment that then is over.
      void outsideTransaction(() => tell([...ids])).catch(() => undefined);
    };

  const tellStaff = inTurn(async (ids) => {
    for (const { id, people } of await presence.atTickets(ids)) {
      readers.toStaff(frames.presence(id, people));
    }
  });

  const tellCustomers = inTurn(async (ids) => {
    for (const { id, requesterId, people } of await presence.atTickets(ids)) {
      readers.toCustomer(requesterId, frames.presence(id, seenByCustomer(people)));
    }
  });

  async function tellOfWriting(ids: string[]): Promise<void> {
    for (const answer of await presence.writtenAnswers(ids)) {
      const frame = frames.writing(answer);
      readers.toStaff(frame);
      readers.toCustomer(answer.requesterId, frame);
    }
  }

  async function tellAll(): Promise<void> {
    const ids = await presence.busyTickets();
    await Promise.all([tellStaff(ids), tellCustomers(ids)]);
  }

  const nothing = (): void => undefined;
  const subscriptions = [
    bus.subscribe(presenceChanged, {
      onIds: whenRead(tellStaff),
      onReconnect: () => whenRead(tellAll)([]),
    }),
    bus.subscribe(typingChanged, { onIds: whenRead(tellCustomers), onReconnect: nothing }),
    bus.subscribe(answersStarted, { onIds: whenRead(tellOfWriting), onReconnect: nothing }),
  ];

  return {
    stop(): void {
      for (const unsubscribe of subscriptions) unsubscribe();
    },
  };
}

/** One after the other, what waits joined: a frame never says less recent things than the one before. */
function inTurn(work: (ids: string[]) => Promise<void>): (ids: string[]) => Promise<void> {
  const waiting = new Set<string>();
  let working: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    while (waiting.size > 0) {
      const ids = [...waiting];
      waiting.clear();
      await work(ids);
    }
  };
  return (ids) => {
    for (const id of ids) waiting.add(id);
    return (working ??= run().finally(() => (working = undefined)));
  };
}
