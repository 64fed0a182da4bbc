import type { Kysely, Transaction } from 'kysely';
import { decodeCursor, pageOf, type Page } from '../../platform/database/page.ts';
import { afterCommit } from '../../platform/database/transaction.ts';
import type { Tables } from '../../tables.ts';
import type { Actor } from '../auth/actor.ts';
import * as repository from './events.repository.ts';
import type {
  AuditFilter,
  EventView,
  FeedFilter,
  NewEvent,
  PositionedEvent,
} from './events.repository.ts';

export type { EventActor, EventView, NewEvent, PositionedEvent } from './events.repository.ts';

/** A stretch of the feed, and the position to go on behind, which is also there when it is empty. */
export type Feed = { data: EventView[]; position: number };

export type EventsService = ReturnType<typeof createEventsService>;

export function createEventsService(dependencies: {
  db: Kysely<Tables>;
  /** Called when a transaction with an event has committed. */
  onRecorded: () => void;
}) {
  const { db, onRecorded } = dependencies;

  return {
    /**
     * Writes an event in the transaction of the change that it tells of. An event of a ticket takes
     * its sequence from the ticket's row, which the caller has locked.
     */
    async record(db: Transaction<Tables>, event: NewEvent): Promise<string> {
      afterCommit(db, onRecorded);
      return repository.insert(db, event);
    },

    /** What the actor may see of what happened behind `after`, in the order of the commits. */
    async feed(
      actor: Actor,
      { after, limit, filter }: { after: number; limit: number; filter: FeedFilter },
    ): Promise<Feed> {
      // Looked up first: what comes between the two looks is read again, and not lost.
      const newest = await repository.newestPosition(db);
      const data = await repository.listFeed(db, actor, { after, limit, filter });
      const last = data.at(-1)?.position ?? after;
      return { data, position: data.length < limit ? Math.max(newest, last) : last };
    },

    /** Where the feed ends now. */
    newest: (): Promise<number> => repository.newestPosition(db),

    /** All that is public behind `after`, for those who pass it on to many. */
    positioned: (after: number, limit: number): Promise<PositionedEvent[]> =>
      repository.listPositioned(db, after, limit),

    /** What the actor may see of a ticket's life. The caller has looked whether the ticket is visible. */
    async timeline(
      actor: Actor,
      ticketId: string,
      page: { limit: number; direction: 'asc' | 'desc'; cursor: string | undefined },
    ): Promise<Page<EventView>> {
      const { limit, direction, cursor } = page;
      const boundTo = ['timeline', actor.id, ticketId, direction];
      const after = cursor === undefined ? undefined : decodeCursor(cursor, boundTo).value;
      const rows = await repository.listOfTicket(db, actor, ticketId, {
        limit,
        direction,
        after: after === undefined ? undefined : Number(after),
      });
      return pageOf(rows, limit, boundTo, (row) => String(row.sequence));
    },

    /** What the team did, and what happened to accounts, settings and webhooks; newest first. */
    async audit(
      actor: Actor,
      { filter, limit, cursor }: { filter: AuditFilter; limit: number; cursor: string | undefined },
    ): Promise<Page<EventView>> {
      const boundTo = ['audit', actor.id, filter];
      const after = cursor === undefined ? undefined : decodeCursor(cursor, boundTo);
      const rows = await repository.listAudit(db, filter, { limit, after });
      return pageOf(rows, limit, boundTo, (row) => row.created_at.toISOString());
    },
  };
}
