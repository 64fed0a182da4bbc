import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely, type RawBuilder, type Selectable, type Transaction } from 'kysely';
import { behind, type Position } from '../../platform/database/page.ts';
import { prepared } from '../../platform/database/prepared.ts';
import type { AuthorType, EventsTable, Tables } from '../../tables.ts';
import { isStaff, type Actor } from '../auth/actor.ts';
import { publicEventTypes, type EventType, type PublicEventType } from './event-types.ts';

export type EventRow = Selectable<EventsTable>;

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
  /** The object as it is after the change. */
  data: Record<string, unknown>;
  /** What the changed values were before. */
  previous?: Record<string, unknown>;
};

/** An event with the name of who made it happen. */
export type EventView = EventRow & { actor_name: string | null };

/** An event in the feed; `requester_id` is the customer who may see it, if one may at all. */
export type PositionedEvent = EventView & {
  position: number;
  requester_id: string | null;
  is_for_agents: boolean;
};

type InsertedValues = Pick<NewEvent, 'type' | 'subjectId'> & {
  id: string;
  actorType: string;
  actorId: string | null;
  ticketId: string;
  data: string;
  previous: string | null;
};

const inserted = prepared(
  (_db: Kysely<Tables>, { isOfTicket }: { isOfTicket: boolean }, values: InsertedValues) => {
    const bumped = isOfTicket
      ? sql`update tickets set last_event = last_event + 1 where id = ${values.ticketId}
          returning last_event`
      : sql`select null::integer as last_event`;
    const ticketId = isOfTicket ? sql`${values.ticketId}` : sql`null`;
    return sql`
      with bumped as (${bumped})
      insert into events (id, type, actor_type, actor_id, ticket_id, subject_id, sequence, data, previous)
      values (${values.id}, ${values.type}, ${values.actorType}, ${values.actorId}, ${ticketId},
        ${values.subjectId}, (select last_event from bumped), ${values.data}::jsonb,
        ${values.previous}::jsonb)`;
  },
);

/** Writes an event and returns its id. */
export async function insert(db: Transaction<Tables>, event: NewEvent): Promise<string> {
  const id = randomUUIDv7();
  const { type, actor, ticketId, subjectId, data, previous } = event;
  await inserted(
    db,
    { isOfTicket: Boolean(ticketId) },
    {
      id,
      type,
      actorType: actor.type,
      actorId: actor.id,
      ticketId: ticketId ?? '',
      subjectId,
      data: JSON.stringify(data),
      previous: previous ? JSON.stringify(previous) : null,
    },
  );
  return id;
}

/** One at a time, on all instances: who assigns positions holds this lock until the commit. */
export const lockRelay = (db: Transaction<Tables>) =>
  sql`select pg_advisory_xact_lock(hashtextextended('support-assistant events relay', 0))`.execute(
    db,
  );

/**
 * Gives the oldest events without one the next positions. Whoever writes an event of a ticket holds
 * the ticket's lock, so `ordinal` puts those of one ticket in the order of their sequence.
 */
export async function assignPositions(
  db: Transaction<Tables>,
  limit: number,
): Promise<(EventRow & { position: number })[]> {
  const { rows } = await sql<EventRow & { position: number }>`
    with waiting as (
      select id, row_number() over (order by ordinal) as place from (
        select id, ordinal from events where position is null order by ordinal limit ${limit}
      ) as oldest
    ), head as (
      update feed_head set position = position + (select count(*) from waiting)
      where exists (select from waiting) returning position
    )
    update events set position = head.position - (select count(*) from waiting) + waiting.place
    from waiting, head where events.id = waiting.id
    returning events.*`.execute(db);
  return rows.sort((one, other) => one.position - other.position);
}

export async function newestPosition(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ position: number }>`select position from feed_head`.execute(db);
  return rows[0]?.position ?? 0;
}

const isPublic = sql<boolean>`events.type = any(${[...publicEventTypes]})`;

/** Of what happens on a ticket its requester sees all but the notes between members of the team. */
const isForRequester = sql<boolean>`coalesce(events.data->>'visibility', 'public') = 'public'`;

/** Of accounts agents may see those of customers, here as in the list of users. */
const isForAgents = sql<boolean>`(events.type !~ '^user[.]' or events.data->>'role' = 'customer')`;

const isForStaff = (actor: Actor): RawBuilder<boolean> =>
  actor.role === 'admin' ? sql<boolean>`true` : isForAgents;

/** The one rule of who sees an event. */
const visibleEvents = (actor: Actor): RawBuilder<boolean> =>
  isStaff(actor)
    ? sql<boolean>`(${isPublic} and ${isForStaff(actor)})`
    : sql<boolean>`(${isPublic} and tickets.requester_id = ${actor.id} and ${isForRequester})`;

const views = (db: Kysely<Tables>) =>
  db
    .selectFrom('events')
    .leftJoin('users', 'users.id', 'events.actor_id')
    .leftJoin('tickets', 'tickets.id', 'events.ticket_id')
    .selectAll('events')
    .select('users.name as actor_name');

export type FeedFilter = { types?: PublicEventType[] };

/** In the order of the commits. */
export function listFeed(
  db: Kysely<Tables>,
  actor: Actor,
  { after, limit, filter }: { after: number; limit: number; filter: FeedFilter },
): Promise<EventView[]> {
  let query = views(db).where(visibleEvents(actor)).where('events.position', '>', after);
  if (filter.types) query = query.where(sql<boolean>`events.type = any(${filter.types})`);
  return query.orderBy('events.position').limit(limit).execute();
}

/** Everything public behind `after`, for all readers at once, with the customer who may see it. */
export async function listPositioned(
  db: Kysely<Tables>,
  after: number,
  limit: number,
): Promise<PositionedEvent[]> {
  const rows = await views(db)
    .select(
      sql<string | null>`case when ${isForRequester} then tickets.requester_id end`.as(
        'requester_id',
      ),
    )
    .select(isForAgents.as('is_for_agents'))
    .where(isPublic)
    .where('events.position', '>', after)
    .orderBy('events.position')
    .limit(limit)
    .execute();
  return rows as PositionedEvent[];
}

/** By sequence, one more than `limit`. */
export function listOfTicket(
  db: Kysely<Tables>,
  actor: Actor,
  ticketId: string,
  page: { limit: number; direction: 'asc' | 'desc'; after: number | undefined },
): Promise<EventView[]> {
  let query = views(db).where(visibleEvents(actor)).where('events.ticket_id', '=', ticketId);
  if (page.after !== undefined) {
    query = query.where('events.sequence', page.direction === 'asc' ? '>' : '<', page.after);
  }
  return query
    .orderBy('events.sequence', page.direction)
    .limit(page.limit + 1)
    .execute();
}

export type AuditFilter = {
  actorId?: string;
  subjectId?: string;
  types?: EventType[];
  createdFrom?: Date;
  createdBefore?: Date;
};

/** The condition of the index `events_audit`. */
const isAudited = sql<boolean>`(events.actor_type = 'agent' or events.type ~ '^(user|settings|webhook)[.]')`;

/** Newest first, one more than `limit`. */
export function listAudit(
  db: Kysely<Tables>,
  filter: AuditFilter,
  page: { limit: number; after: Position | undefined },
): Promise<EventView[]> {
  let query = views(db).where(isAudited);
  if (filter.actorId) query = query.where('events.actor_id', '=', filter.actorId);
  if (filter.subjectId) query = query.where('events.subject_id', '=', filter.subjectId);
  if (filter.types) query = query.where(sql<boolean>`events.type = any(${filter.types})`);
  if (filter.createdFrom) query = query.where('events.created_at', '>=', filter.createdFrom);
  if (filter.createdBefore) query = query.where('events.created_at', '<', filter.createdBefore);
  if (page.after) {
    query = query.where(
      behind('events.created_at', 'events.id', 'timestamptz', 'desc', page.after),
    );
  }
  return query
    .orderBy('events.created_at', 'desc')
    .orderBy('events.id', 'desc')
    .limit(page.limit + 1)
    .execute();
}
