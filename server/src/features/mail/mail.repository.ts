import { sql, type Kysely, type Transaction } from 'kysely';
import type { Tables } from '../../tables.ts';

/** The requesters of tickets, by the ticket's id. */
export async function findRequesters(
  db: Kysely<Tables>,
  ticketIds: readonly string[],
): Promise<Map<string, string>> {
  const tickets = await db
    .selectFrom('tickets')
    .select(['id', 'requester_id'])
    .where(sql<boolean>`id = any(${[...ticketIds]}::uuid[])`)
    .execute();
  return new Map(tickets.map(({ id, requester_id }) => [id, requester_id]));
}

export async function listAdmins(db: Kysely<Tables>): Promise<string[]> {
  const admins = await db
    .selectFrom('users')
    .select('id')
    .where('kind', '=', 'person')
    .where('role', '=', 'admin')
    .where('disabled_at', 'is', null)
    .orderBy('id')
    .execute();
  return admins.map(({ id }) => id);
}

export type Recipient = { id: string; name: string; email: string };

/** Undefined for who is disabled or deleted, and for programs. */
export const findRecipient = (db: Kysely<Tables>, id: string): Promise<Recipient | undefined> =>
  db
    .selectFrom('users')
    .select(['id', 'name', 'email'])
    .where('id', '=', id)
    .where('kind', '=', 'person')
    .where('disabled_at', 'is', null)
    .executeTakeFirst();

export type TicketNews = {
  ticketId: string;
  number: number;
  title: string;
  requesterId: string;
  content: string | null;
  agent: string | null;
};

/** The ticket of an event, and the public message if that is what the event is about. */
export const findTicketNews = (
  db: Kysely<Tables>,
  eventId: string,
): Promise<TicketNews | undefined> =>
  db
    .selectFrom('events')
    .innerJoin('tickets', 'tickets.id', 'events.ticket_id')
    .leftJoin('messages', (join) =>
      join
        .onRef('messages.id', '=', 'events.subject_id')
        .on('messages.visibility', '=', 'public')
        .on('messages.author_type', '=', 'agent'),
    )
    .leftJoin('users', 'users.id', 'messages.author_id')
    .select([
      'tickets.id as ticketId',
      'tickets.number',
      'tickets.title',
      'tickets.requester_id as requesterId',
      'messages.content',
      'users.name as agent',
    ])
    .where('events.id', '=', eventId)
    .executeTakeFirst();

export async function findEventData(
  db: Kysely<Tables>,
  id: string,
): Promise<Record<string, unknown> | undefined> {
  const event = await db
    .selectFrom('events')
    .select('data')
    .where('id', '=', id)
    .executeTakeFirst();
  return event?.data;
}

/** One mail of a user at a time may be counted. */
export const lockMailsOf = (db: Transaction<Tables>, userId: string) =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`mails of ${userId}`}, 0))`.execute(db);

export const findMail = (
  db: Kysely<Tables>,
  id: string,
): Promise<{ sent_at: Date | null } | undefined> =>
  db.selectFrom('mails').select('sent_at').where('id', '=', id).executeTakeFirst();

export async function countMails(db: Kysely<Tables>, userId: string, since: Date): Promise<number> {
  const { count } = await db
    .selectFrom('mails')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('user_id', '=', userId)
    .where('begun_at', '>', since)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function insertMail(
  db: Kysely<Tables>,
  mail: { id: string; userId: string; kind: string; now: Date },
): Promise<void> {
  const { id, userId: user_id, kind, now: begun_at } = mail;
  await db.insertInto('mails').values({ id, user_id, kind, begun_at, sent_at: null }).execute();
}

export async function recordSent(db: Kysely<Tables>, id: string, now: Date): Promise<void> {
  await db.updateTable('mails').set({ sent_at: now }).where('id', '=', id).execute();
}
