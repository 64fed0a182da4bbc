import type { Kysely, Transaction } from 'kysely';
import type { Clock } from '../../platform/clock.ts';
import { transaction } from '../../platform/database/transaction.ts';
import type { Tables } from '../../tables.ts';
import type { EraseService } from './erase.service.ts';
import { allowChangeOfEvents } from './erase.repository.ts';
import * as repository from './retention.repository.ts';

const dayMs = 24 * 60 * 60 * 1_000;
const hourMs = 60 * 60 * 1_000;
const batch = 1_000;
const ticketsBatch = 100;
const unfinishedMax = 1_000;

export type RetentionService = ReturnType<typeof createRetentionService>;

/** Forgets what is older than it is kept, a little at a time. */
export function createRetentionService(dependencies: {
  db: Kysely<Tables>;
  clock: Clock;
  erasing: EraseService;
  sendErase: (db: Transaction<Tables>, userId: string) => Promise<void>;
  /** Undefined: for good. */
  keptDays: { logs: number; tickets: number | undefined; events: number | undefined };
}) {
  const { db, clock, erasing, sendErase, keptDays } = dependencies;
  const before = (ms: number): Date => new Date(clock.now().getTime() - ms);

  return {
    async run({ signal }: { signal: AbortSignal }): Promise<void> {
      await resumeErasing();
      for (const logs of repository.technicalLogs(before(keptDays.logs * dayMs))) {
        while (await repository.removeSome(db, logs, batch)) signal.throwIfAborted();
      }
      if (keptDays.tickets) await eraseTickets(before(keptDays.tickets * dayMs), signal);
      if (keptDays.events) await removeEvents(before(keptDays.events * dayMs), signal);
    },
  };

  /** A job that has failed for the last time is not the end of it. */
  async function resumeErasing(): Promise<void> {
    for (const id of await repository.listUnfinished(db, before(hourMs), unfinishedMax)) {
      await transaction(db, (db) => sendErase(db, id));
    }
  }

  async function eraseTickets(cutOff: Date, signal: AbortSignal): Promise<void> {
    for (;;) {
      const ids = await repository.listDoneTickets(db, cutOff, ticketsBatch);
      for (const id of ids) await erasing.eraseTicket(id, { signal });
      if (ids.length < ticketsBatch) return;
    }
  }

  async function removeEvents(cutOff: Date, signal: AbortSignal): Promise<void> {
    for (let isMore = true; isMore;) {
      signal.throwIfAborted();
      isMore = await transaction(db, async (db) => {
        await allowChangeOfEvents(db);
        return repository.removeEvents(db, cutOff, batch);
      });
    }
  }
}
