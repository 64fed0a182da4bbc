import { sql, type Kysely } from 'kysely';
import type { Citation, Tables } from '../../tables.ts';

/** Rows of one page: so many are in memory at a time, however many there are. */
export const pageMax = 200;

/** Where the page before ended; undefined for the first one. */
type After<Value> = Value | undefined;

export const listSessions = async (db: Kysely<Tables>, userId: string, after: After<string>) => {
  let query = db
    .selectFrom('sessions')
    .select(['id', 'user_agent', 'created_at', 'rotated_at', 'expires_at', 'revoked_at'])
    .where('user_id', '=', userId);
  if (after !== undefined) query = query.where('id', '>', after);
  return query.orderBy('id').limit(pageMax).execute();
};

export const listMails = async (db: Kysely<Tables>, userId: string, after: After<string>) => {
  let query = db
    .selectFrom('mails')
    .select(['id', 'kind', 'begun_at', 'sent_at'])
    .where('user_id', '=', userId);
  if (after !== undefined) query = query.where('id', '>', after);
  return query.orderBy('id').limit(pageMax).execute();
};

export const listLinks = async (db: Kysely<Tables>, userId: string, after: After<string>) => {
  let query = db
    .selectFrom('account_tokens')
    .select(['id', 'purpose', 'created_at', 'expires_at', 'used_at'])
    .where('user_id', '=', userId);
  if (after !== undefined) query = query.where('id', '>', after);
  return query.orderBy('id').limit(pageMax).execute();
};

export type RequestRow = { route: string; key: string; created_at: Date };

export async function listRequests(
  db: Kysely<Tables>,
  userId: string,
  after: After<RequestRow>,
): Promise<RequestRow[]> {
  const { rows } = await sql<RequestRow>`select route, key, created_at from idempotency_keys
    where user_id = ${userId} and (route, key) > (${after?.route ?? ''}, ${after?.key ?? ''})
    order by route, key limit ${pageMax}`.execute(db);
  return rows;
}

export const listAccountEvents = async (
  db: Kysely<Tables>,
  userId: string,
  after: After<string>,
) => {
  let query = db
    .selectFrom('events')
    .select(['id', 'type', 'actor_type', 'data', 'previous', 'created_at'])
    .where('subject_id', '=', userId)
    .where(sql<boolean>`type ~ '^user[.]'`);
  if (after !== undefined) query = query.where('id', '>', after);
  return query.orderBy('id').limit(pageMax).execute();
};

export const listTickets = async (db: Kysely<Tables>, userId: string, after: After<string>) => {
  let query = db.selectFrom('tickets').selectAll().where('requester_id', '=', userId);
  if (after !== undefined) query = query.where('id', '>', after);
  return query.orderBy('id').limit(pageMax).execute();
};

type TicketPart = { ticketId: string; withNotes: boolean };

export const listMessages = async (
  db: Kysely<Tables>,
  { ticketId, withNotes }: TicketPart,
  after: After<number>,
) => {
  let query = db
    .selectFrom('messages')
    .leftJoin('users', 'users.id', 'messages.author_id')
    .select([
      'messages.seq',
      'messages.author_type',
      'users.name as author_name',
      'messages.visibility',
      'messages.content',
      'messages.citations',
      'messages.created_at',
    ])
    .where('messages.ticket_id', '=', ticketId);
  if (!withNotes) query = query.where('messages.visibility', '=', 'public');
  if (after !== undefined) query = query.where('messages.seq', '>', after);
  return query.orderBy('messages.seq').limit(pageMax).execute();
};

type AnswerRow = {
  id: string;
  state: string;
  text: string;
  citations: Citation[];
  searched: string[] | null;
  unanswered: string | null;
  feedback_helpful: boolean | null;
  feedback_reason: string | null;
  feedback_comment: string | null;
  queued_at: Date;
};

/** With what was searched for, and the question if it was kept as a gap. */
export async function listAnswers(
  db: Kysely<Tables>,
  { ticketId }: TicketPart,
  after: After<string>,
): Promise<AnswerRow[]> {
  const behind = after === undefined ? sql`true` : sql`answers.id > ${after}`;
  const { rows } = await sql<AnswerRow>`
    select answers.id, state, text, citations, trace->'searched' as searched,
      knowledge_gaps.question as unanswered, feedback_helpful, feedback_reason, feedback_comment,
      queued_at
    from answers left join knowledge_gaps on knowledge_gaps.answer_id = answers.id
    where answers.ticket_id = ${ticketId} and ${behind}
    order by answers.id limit ${pageMax}`.execute(db);
  return rows;
}

export const listTicketEvents = async (
  db: Kysely<Tables>,
  { ticketId, withNotes }: TicketPart,
  after: After<number>,
) => {
  let query = db
    .selectFrom('events')
    .select(['sequence', 'type', 'actor_type', 'data', 'previous', 'created_at'])
    .where('ticket_id', '=', ticketId);
  if (!withNotes) {
    query = query.where(sql<boolean>`coalesce(data->>'visibility', 'public') = 'public'`);
  }
  if (after !== undefined) query = query.where('sequence', '>', after);
  return query.orderBy('sequence').limit(pageMax).execute();
};
