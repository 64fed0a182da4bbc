import { sql, type Kysely, type RawBuilder, type Selectable, type Transaction } from 'kysely';
import type { AnswersTable, Tables, TicketsTable, UsersTable } from '../../tables.ts';

/*
 * Statements that take personal data away. What becomes of each column stands in
 * server/personal-data.ts. Each statement is bounded by a range or a limit.
 */

/** Stands where somebody's words were. */
const erasedText = '[deleted]';

/** Lets this transaction change events, which nothing else can. */
export const allowChangeOfEvents = (db: Transaction<Tables>) =>
  sql`select set_config('support_assistant.retention', 'on', true)`.execute(db);

/** In the order of their ids; of those not yet erased, or of all. */
export async function listTickets(
  db: Kysely<Tables>,
  userId: string,
  { all, after, limit }: { all: boolean; after: string | undefined; limit: number },
): Promise<string[]> {
  let query = db.selectFrom('tickets').select('id').where('requester_id', '=', userId);
  if (!all) query = query.where('erased_at', 'is', null);
  if (after !== undefined) query = query.where('id', '>', after);
  const tickets = await query.orderBy('id').limit(limit).execute();
  return tickets.map(({ id }) => id);
}

/** The caller holds the ticket's lock. */
export const endAnswers = (
  db: Transaction<Tables>,
  ticketId: string,
): Promise<Selectable<AnswersTable>[]> =>
  db
    .updateTable('answers')
    .set({ state: 'cancelled', ended_at: sql<Date>`now()`, lease_owner: null, lease_until: null })
    .where('ticket_id', '=', ticketId)
    .where('state', 'in', ['queued', 'streaming'])
    .returningAll()
    .execute();

/** Closes the ticket, so that nobody writes on it any more. Its place in lists stays. */
export const shutTicket = (
  db: Transaction<Tables>,
  id: string,
): Promise<Selectable<TicketsTable>> =>
  db
    .updateTable('tickets')
    .set({
      title: erasedText,
      description: erasedText,
      tags: [],
      status: 'closed',
      assistant: 'off',
      handoff_reason: null,
      handoff_at: null,
      handoff_answer_id: null,
      resolved_at: sql<Date>`coalesce(resolved_at, now())`,
      version: sql<number>`version + 1`,
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();

export type Range = { after: number; upTo: number };

export const eraseMessages = (db: Kysely<Tables>, ticketId: string, { after, upTo }: Range) =>
  sql`update messages set content = ${erasedText}, citations = null
    where ticket_id = ${ticketId} and seq > ${after} and seq <= ${upTo}
      and (content <> ${erasedText} or citations is not null)`.execute(db);

/** Title and tags are all that events of tickets keep of what was written. */
const blanked = (column: string): RawBuilder<unknown> => sql`${sql.ref(column)}
  || case when ${sql.ref(column)} ? 'title'
    then jsonb_build_object('title', ${erasedText}::text) else '{}' end
  || case when ${sql.ref(column)} ? 'tags' then '{"tags": []}'::jsonb else '{}' end`;

export const eraseEvents = (db: Transaction<Tables>, ticketId: string, { after, upTo }: Range) =>
  sql`update events set data = ${blanked('data')}, previous = ${blanked('previous')}
    where ticket_id = ${ticketId} and sequence > ${after} and sequence <= ${upTo}
      and (data ?| array['title', 'tags'] or previous ?| array['title', 'tags'])`.execute(db);

const withoutReply = sql`response_headers = null, response_body = null, message = null`;
const hasReply = sql`coalesce(response_headers::text, response_body, message) is not null`;

/** What receivers replied to events of the ticket may repeat what they were sent. */
export const eraseReplies = (db: Kysely<Tables>, ticketId: string, { after, upTo }: Range) =>
  sql`update webhook_attempts set ${withoutReply}
    from webhook_deliveries join events on events.id = webhook_deliveries.event_id
    where webhook_deliveries.id = webhook_attempts.delivery_id and events.ticket_id = ${ticketId}
      and events.sequence > ${after} and events.sequence <= ${upTo} and ${hasReply}`.execute(db);

/** Returns the last answer of this batch; undefined when there is none behind `after`. */
export async function eraseAnswers(
  db: Transaction<Tables>,
  ticketId: string,
  after: string,
  limit: number,
): Promise<string | undefined> {
  const answers = await db
    .selectFrom('answers')
    .select('id')
    .where('ticket_id', '=', ticketId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  if (answers.length === 0) return undefined;
  const ids = answers.map(({ id }) => id);
  await sql`delete from knowledge_gaps where answer_id = any(${ids}::uuid[])`.execute(db);
  await sql`update answers set text = '', sources = null, citations = '[]', trace = null,
    feedback_comment = null where id = any(${ids}::uuid[])`.execute(db);
  return ids.at(-1);
}

export const recordTicketErased = (db: Kysely<Tables>, id: string) =>
  sql`update tickets set erased_at = now() where id = ${id}`.execute(db);

/** What lives as long as the account: one batch of it; true when there may be more. */
export async function removeOfPerson(
  db: Kysely<Tables>,
  table: 'sessions' | 'idempotency_keys' | 'account_tokens' | 'mails' | 'presence',
  userId: string,
  limit: number,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`delete from ${sql.table(table)} where ctid = any(array(
    select ctid from ${sql.table(table)} where user_id = ${userId} limit ${limit}
  )) and user_id = ${userId}`.execute(db);
  return Number(numAffectedRows) === limit;
}

/** Addresses of sign-ins. Returns the last event of this batch; undefined when there is none. */
export async function eraseAccountEvents(
  db: Transaction<Tables>,
  userId: string,
  after: string,
  limit: number,
): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`select id from events
    where subject_id = ${userId} and type ~ '^user[.]' and id > ${after}
    order by id limit ${limit}`.execute(db);
  if (rows.length === 0) return undefined;
  const ids = rows.map(({ id }) => id);
  await sql`update events set data = data - 'ip'
    where id = any(${ids}::uuid[]) and data ? 'ip'`.execute(db);
  await sql`update webhook_attempts set ${withoutReply} from webhook_deliveries
    where webhook_deliveries.id = webhook_attempts.delivery_id
      and webhook_deliveries.event_id = any(${ids}::uuid[]) and ${hasReply}`.execute(db);
  return ids.at(-1);
}

/** Undefined when it is recorded already. */
export const recordPersonErased = (
  db: Transaction<Tables>,
  id: string,
  now: Date,
): Promise<Selectable<UsersTable> | undefined> =>
  db
    .updateTable('users')
    .set({ erased_at: now })
    .where('id', '=', id)
    .where('erase_requested_at', 'is not', null)
    .where('erased_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
