import { sql, type Kysely } from 'kysely';
import type { PresenceState, Role, Tables } from '../../tables.ts';
import type { Person } from './presence.policy.ts';

/** Who is at a ticket, and whose ticket it is. */
export type TicketPresence = { id: string; requesterId: string; people: Person[] };

/** How long somebody is there without saying so again. */
const presenceSeconds = 30;
/** Of the tickets where somebody is, for those who may have missed all of it. */
const busyTicketsMax = 1_000;

const until = sql<Date>`now() + make_interval(secs => ${presenceSeconds})`;

/** Returns the state before; undefined when they were not there. */
export async function upsert(
  db: Kysely<Tables>,
  row: { ticketId: string; userId: string; state: PresenceState },
): Promise<PresenceState | undefined> {
  const { ticketId, userId, state } = row;
  const { rows } = await sql<{ previous: PresenceState | null }>`
    with before as (
      select state from presence
      where ticket_id = ${ticketId} and user_id = ${userId} and until > now()
    )
    insert into presence (ticket_id, user_id, state, until)
    values (${ticketId}, ${userId}, ${state}, ${until})
    on conflict (ticket_id, user_id) do update set state = excluded.state, until = excluded.until
    returning (select state from before) as previous`.execute(db);
  return rows[0]?.previous ?? undefined;
}

/** Returns the state before; undefined when they were not there. */
export async function remove(
  db: Kysely<Tables>,
  { ticketId, userId }: { ticketId: string; userId: string },
): Promise<PresenceState | undefined> {
  const row = await db
    .deleteFrom('presence')
    .where('ticket_id', '=', ticketId)
    .where('user_id', '=', userId)
    .returning('state')
    .executeTakeFirst();
  return row?.state;
}

/** Removes who has not said anything for too long. */
export async function removeExpired(
  db: Kysely<Tables>,
): Promise<{ ticketId: string; state: PresenceState; role: Role }[]> {
  const { rows } = await sql<{ ticketId: string; state: PresenceState; role: Role }>`
    delete from presence using users
    where users.id = presence.user_id and presence.until <= now()
    returning presence.ticket_id as "ticketId", presence.state, users.role`.execute(db);
  return rows;
}

/** One row for each of the tickets, with those who are there now. */
export async function listAtTickets(
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<TicketPresence[]> {
  const { rows } = await sql<TicketPresence>`
    select tickets.id, tickets.requester_id as "requesterId", coalesce(
      jsonb_agg(jsonb_build_object(
        'user_id', users.id, 'name', users.name, 'role', users.role, 'state', presence.state
      ) order by users.name, users.id) filter (where users.id is not null), '[]'
    ) as people
    from tickets
    left join presence on presence.ticket_id = tickets.id and presence.until > now()
    left join users on users.id = presence.user_id
    where tickets.id = any(${[...ids]})
    group by tickets.id`.execute(db);
  return rows;
}

export async function listBusyTickets(db: Kysely<Tables>): Promise<string[]> {
  const rows = await db
    .selectFrom('presence')
    .select('ticket_id')
    .distinct()
    .limit(busyTicketsMax)
    .execute();
  return rows.map((row) => row.ticket_id);
}

/** Those of the answers that are being written. */
export function listWrittenAnswers(
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<{ id: string; ticketId: string; requesterId: string }[]> {
  return db
    .selectFrom('answers')
    .innerJoin('tickets', 'tickets.id', 'answers.ticket_id')
    .select(['answers.id', 'answers.ticket_id as ticketId', 'tickets.requester_id as requesterId'])
    .where('answers.id', 'in', [...ids])
    .where('answers.state', '=', 'streaming')
    .execute();
}
