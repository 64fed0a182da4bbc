import { randomUUIDv7 } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import type { AuthorType, Tables } from '../../tables.ts';

export type EventType =
  | 'ticket.created'
  | 'ticket.updated'
  | 'ticket.status_changed'
  | 'ticket.assigned'
  | 'message.created'
  | 'answer.completed'
  | 'answer.handed_off'
  | 'article.published'
  | 'user.created'
  | 'user.updated'
  | 'settings.updated';

/** Who made it happen. The assistant and the system have no id. */
export type EventActor = { type: AuthorType; id: string | null };

/** What happened, in terms of ids and short values: content stays in its own table. */
export type NewEvent = {
  type: EventType;
  actor: EventActor;
  /** The object that the event is about. */
  subjectId: string;
  /** The ticket that it belongs to; such events are numbered per ticket, without holes. */
  ticketId?: string;
  data: Record<string, unknown>;
  previous?: Record<string, unknown>;
};

export type EventsService = ReturnType<typeof createEventsService>;

export function createEventsService() {
  return {
    /**
     * Writes an event in the transaction of the change that it tells of. An event of a ticket takes
     * its sequence from the ticket's row, which the caller has locked.
     */
    async record(db: Transaction<Tables>, event: NewEvent): Promise<void> {
      const sequence = event.ticketId
        ? sql<number>`(select last_event from bumped)`
        : sql<null>`null::integer`;
      const bumped = event.ticketId
        ? sql`update tickets set last_event = last_event + 1 where id = ${event.ticketId} returning last_event`
        : sql`select null`;
      await sql`
        with bumped as (${bumped})
        insert into events (id, type, actor_type, actor_id, ticket_id, subject_id, sequence, data, previous)
        values (${randomUUIDv7()}, ${event.type}, ${event.actor.type}, ${event.actor.id},
          ${event.ticketId ?? null}, ${event.subjectId}, ${sequence}, ${JSON.stringify(event.data)}::jsonb,
          ${event.previous ? JSON.stringify(event.previous) : null}::jsonb)`.execute(db);
    },
  };
}
