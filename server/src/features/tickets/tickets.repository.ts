import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely, type RawBuilder, type Selectable, type Transaction } from 'kysely';
import { behind, type Position } from '../../platform/database/page.ts';
import type {
  AnswersTable,
  AnswerState,
  AuthorType,
  Citation,
  MessagesTable,
  MessageVisibility,
  Tables,
  TicketPriority,
  TicketsTable,
  TicketStatus,
} from '../../tables.ts';
import { isStaff, type Actor } from '../auth/actor.ts';

export type TicketRow = Selectable<TicketsTable>;

/** A ticket as it is shown: with the people's names and the live answer. */
export type TicketView = TicketRow & {
  requester: { id: string; name: string; email: string };
  assignee: { id: string; name: string } | null;
  answer: { id: string; state: AnswerState } | null;
};

export type MessageView = Selectable<MessagesTable> & {
  author_name: string | null;
  answer_state: AnswerState | null;
};

/** The one rule of who sees a ticket; every read of tickets or of what hangs on them goes through it. */
const visibleTickets = (actor: Actor): RawBuilder<boolean> =>
  isStaff(actor) ? sql<boolean>`true` : sql<boolean>`tickets.requester_id = ${actor.id}`;

/** The one rule of who sees a message of a visible ticket. */
const visibleMessages = (actor: Actor): RawBuilder<boolean> =>
  isStaff(actor) ? sql<boolean>`true` : sql<boolean>`messages.visibility = 'public'`;

/** Locks the ticket's row: the first lock of every transaction that changes anything of a ticket. */
export const lock = (db: Transaction<Tables>, id: string): Promise<TicketRow | undefined> =>
  db.selectFrom('tickets').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();

/** Like `lock`, for what the actor may see. */
export const lockVisible = (
  db: Transaction<Tables>,
  actor: Actor,
  id: string,
): Promise<TicketRow | undefined> =>
  db
    .selectFrom('tickets')
    .selectAll()
    .where('id', '=', id)
    .where(visibleTickets(actor))
    .forUpdate()
    .executeTakeFirst();

const views = (db: Kysely<Tables>) =>
  db
    .selectFrom('tickets')
    .innerJoin('users as requesters', 'requesters.id', 'tickets.requester_id')
    .leftJoin('users as assignees', 'assignees.id', 'tickets.assignee_id')
    .selectAll('tickets')
    .select([
      sql<TicketView['requester']>`json_build_object('id', requesters.id, 'name', requesters.name,
        'email', requesters.email)`.as('requester'),
      sql<TicketView['assignee']>`case when assignees.id is not null
        then json_build_object('id', assignees.id, 'name', assignees.name) end`.as('assignee'),
      sql<TicketView['answer']>`(select json_build_object('id', answers.id, 'state', answers.state)
        from answers where answers.ticket_id = tickets.id and answers.state in ('queued', 'streaming')
        order by answers.state limit 1)`.as('answer'),
    ]);

export const findVisible = (
  db: Kysely<Tables>,
  actor: Actor,
  id: string,
): Promise<TicketView | undefined> =>
  views(db).where('tickets.id', '=', id).where(visibleTickets(actor)).executeTakeFirst();

export type TicketFilter = {
  status?: TicketStatus[];
  priority?: TicketPriority[];
  assignee?: string;
  requester?: string;
  handedOff?: boolean;
  createdFrom?: Date;
  createdBefore?: Date;
  text?: string;
};

export type TicketSort = {
  column: 'created_at' | 'updated_at' | 'number';
  direction: 'asc' | 'desc';
};

/** One row more than `limit` tells that there is more. */
export function list(
  db: Kysely<Tables>,
  actor: Actor,
  filter: TicketFilter,
  sort: TicketSort,
  page: { limit: number; after: Position | undefined },
): Promise<TicketView[]> {
  let query = views(db).where(visibleTickets(actor));
  if (filter.status) query = query.where(sql<boolean>`tickets.status = any(${filter.status})`);
  if (filter.priority)
    query = query.where(sql<boolean>`tickets.priority = any(${filter.priority})`);
  if (filter.assignee === 'none') query = query.where('tickets.assignee_id', 'is', null);
  else if (filter.assignee) query = query.where('tickets.assignee_id', '=', filter.assignee);
  if (filter.requester) query = query.where('tickets.requester_id', '=', filter.requester);
  if (filter.handedOff !== undefined) {
    query = query.where('tickets.handoff_at', filter.handedOff ? 'is not' : 'is', null);
  }
  if (filter.createdFrom) query = query.where('tickets.created_at', '>=', filter.createdFrom);
  if (filter.createdBefore) query = query.where('tickets.created_at', '<', filter.createdBefore);
  if (filter.text) query = query.where(titleContains(filter.text));
  const column = `tickets.${sort.column}` as const;
  if (page.after) {
    const cast = sort.column === 'number' ? 'bigint' : 'timestamptz';
    query = query.where(behind(column, 'tickets.id', cast, sort.direction, page.after));
  }
  return query
    .orderBy(column, sort.direction)
    .orderBy('tickets.id', sort.direction)
    .limit(page.limit + 1)
    .execute();
}

const titleContains = (text: string): RawBuilder<boolean> =>
  sql<boolean>`tickets.title ilike ${`%${text.replace(/[\\%_]/g, '\\$&')}%`}`;

export type NewTicket = Pick<
  TicketRow,
  'title' | 'description' | 'requester_id' | 'priority' | 'tags' | 'assistant' | 'channel'
>;

export const insert = (db: Transaction<Tables>, ticket: NewTicket, now: Date): Promise<TicketRow> =>
  db
    .insertInto('tickets')
    .values({
      ...ticket,
      id: randomUUIDv7(),
      created_at: now,
      updated_at: now,
      last_message_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();

export type TicketChanges = Partial<
  Pick<
    TicketRow,
    | 'title'
    | 'status'
    | 'priority'
    | 'assignee_id'
    | 'tags'
    | 'assistant'
    | 'handoff_reason'
    | 'handoff_at'
    | 'handoff_answer_id'
    | 'resolved_at'
    | 'version'
  >
>;

export const update = (
  db: Transaction<Tables>,
  id: string,
  changes: TicketChanges,
  now: Date,
): Promise<TicketRow> =>
  db
    .updateTable('tickets')
    .set({ ...changes, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();

export type NewMessage = {
  id?: string;
  ticketId: string;
  authorType: AuthorType;
  authorId: string | null;
  content: string;
  visibility?: MessageVisibility;
  citations?: Citation[];
  answerId?: string;
};

/** Appends a message under the ticket's row lock, which also hands out its `seq`. */
export async function appendMessage(
  db: Transaction<Tables>,
  message: NewMessage,
  now: Date,
): Promise<Selectable<MessagesTable>> {
  const citations = message.citations?.length ? JSON.stringify(message.citations) : null;
  const { rows } = await sql<Selectable<MessagesTable>>`
    with ticket as (
      update tickets set last_seq = last_seq + 1, last_message_at = ${now}, updated_at = ${now}
      where id = ${message.ticketId} returning id, last_seq
    )
    insert into messages (id, ticket_id, seq, author_type, author_id, visibility, content, citations,
      answer_id, created_at)
    select ${message.id ?? randomUUIDv7()}::uuid, id, last_seq, ${message.authorType},
      ${message.authorId}::uuid, ${message.visibility ?? 'public'}, ${message.content},
      ${citations}::jsonb, ${message.answerId ?? null}::uuid, ${now}::timestamptz
    from ticket returning *`.execute(db);
  const row = rows[0];
  if (!row) throw new Error(`ticket ${message.ticketId} is gone`);
  return row;
}

/** Messages that the actor may see, in either direction, one more than `limit`. */
export function listMessages(
  db: Kysely<Tables>,
  actor: Actor,
  ticketId: string,
  page: { limit: number; direction: 'asc' | 'desc'; afterSeq: number | undefined },
): Promise<MessageView[]> {
  let query = db
    .selectFrom('messages')
    .leftJoin('users', 'users.id', 'messages.author_id')
    .leftJoin('answers', 'answers.id', 'messages.answer_id')
    .selectAll('messages')
    .select(['users.name as author_name', 'answers.state as answer_state'])
    .where('messages.ticket_id', '=', ticketId)
    .where(visibleMessages(actor));
  if (page.afterSeq !== undefined) {
    query = query.where('messages.seq', page.direction === 'asc' ? '>' : '<', page.afterSeq);
  }
  return query
    .orderBy('messages.seq', page.direction)
    .limit(page.limit + 1)
    .execute();
}

/** An answer that was cut, with what it had shown. */
export type EndedAnswer = Selectable<AnswersTable>;

/**
 * Ends every live answer of a ticket, keeping what was shown: the rows' own text, which is what
 * readers saw at most. The caller holds the ticket's lock, so no answer can start or end meanwhile.
 */
export async function endLiveAnswers(
  db: Transaction<Tables>,
  ticketId: string,
  state: 'superseded' | 'cancelled',
): Promise<EndedAnswer[]> {
  return db
    .updateTable('answers')
    .set({ state, ended_at: sql<Date>`now()`, lease_owner: null, lease_until: null })
    .where('ticket_id', '=', ticketId)
    .where('state', 'in', ['queued', 'streaming'])
    .returningAll()
    .execute();
}

/**
 * The fence of a take-over: from this statement's commit on, the assistant says nothing more on the
 * ticket. Returns what its live answers had shown.
 */
export async function silenceAssistant(
  db: Transaction<Tables>,
  ticketId: string,
): Promise<EndedAnswer[]> {
  await db
    .updateTable('tickets')
    .set({ assistant: 'paused' })
    .where('id', '=', ticketId)
    .where('assistant', '=', 'active')
    .execute();
  return endLiveAnswers(db, ticketId, 'superseded');
}
