import type { Kysely } from 'kysely';
import type { Bus } from '../../platform/bus/bus.ts';
import type { PresenceState, Tables } from '../../tables.ts';
import type { Actor } from '../auth/actor.ts';
import type { TicketsService } from '../tickets/tickets.service.ts';
import {
  isSeenByCustomer,
  othersSeenBy,
  presenceChanged,
  typingChanged,
  type Move,
  type Person,
} from './presence.policy.ts';
import * as repository from './presence.repository.ts';
import type { TicketPresence } from './presence.repository.ts';

const expiryMs = 5_000;

export type PresenceService = ReturnType<typeof createPresenceService>;

/** Who is at which ticket. Only what somebody could see change is told. */
export function createPresenceService(dependencies: {
  db: Kysely<Tables>;
  bus: Bus;
  tickets: TicketsService;
}) {
  const { db, bus, tickets } = dependencies;

  function tell(moves: (Move & { ticketId: string })[]): void {
    const changed = moves.filter(({ from, to }) => from !== to);
    void bus.publish(presenceChanged, ticketsOf(changed));
    void bus.publish(typingChanged, ticketsOf(changed.filter(isSeenByCustomer)));
  }

  async function expire(): Promise<void> {
    const gone = await repository.removeExpired(db);
    tell(gone.map(({ ticketId, role, state }) => ({ ticketId, role, from: state, to: undefined })));
  }

  // The database is away: the next look removes them.
  const timer = setInterval(() => void expire().catch(() => undefined), expiryMs);
  timer.unref();

  return {
    /** Says what the actor does at a ticket, and returns who else is there. */
    async set(actor: Actor, ticketId: string, state: PresenceState | 'gone'): Promise<Person[]> {
      await tickets.requireVisible(actor, ticketId);
      const place = { ticketId, userId: actor.id };
      const to = state === 'gone' ? undefined : state;
      const from = to
        ? await repository.upsert(db, { ...place, state: to })
        : await repository.remove(db, place);
      tell([{ ticketId, role: actor.role, from, to }]);
      const [ticket] = await repository.listAtTickets(db, [ticketId]);
      return othersSeenBy(actor, ticket?.people ?? []);
    },

    atTickets: (ids: readonly string[]): Promise<TicketPresence[]> =>
      repository.listAtTickets(db, ids),
    busyTickets: (): Promise<string[]> => repository.listBusyTickets(db),
    writtenAnswers: (ids: readonly string[]) => repository.listWrittenAnswers(db, ids),

    /** Removes who has not said anything for too long; done every few seconds anyway. */
    expire,

    stop: (): void => clearInterval(timer),
  };
}

const ticketsOf = (moves: { ticketId: string }[]): string[] => [
  ...new Set(moves.map(({ ticketId }) => ticketId)),
];
