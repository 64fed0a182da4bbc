import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely, type RawBuilder, type Selectable, type Transaction } from 'kysely';
import { behind, type Position } from '../../platform/database/page.ts';
import { prepared } from '../../platform/database/prepared.ts';
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

type Viewer = Pick<Actor, 'id' | 'role'>;

/** The one rule of who sees a ticket; every read of tickets or of what hangs on them goes through it. */
const visibleTickets = (actor: Viewer): RawBuilder<boolean> =>
  isStaff(actor) ? sql<boolean>`true` : sql<boolean>`tickets.requester_id = ${actor.id}`;

/** The one rule of who sees a message of a visible ticket. */
const visibleMessages = (actor: Pick<Viewer, 'role'>): RawBuilder<boolean> =>
  isStaff(actor) ? sql<boolean>`true` : sql<boolean>`messages.visibility = 'public'`;

/** Locks the ticket's row: the first lock of every transaction that changes anything of a ticket. */
export const lock = (db: Transaction<Tables>, id: string): Promise<TicketRow | undefined> =>
  db.selectFrom('tickets').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();

const locked = prepared(
  (db: Kysely<Tables>, { role }: Pick<Viewer, 'role'>, values: { id: string; actorId: string }) =>
    db
      .selectFrom('tickets')
      .selectAll()
      .where('id', '=', values.id)
      .where(visibleTickets({ role, id: values.actorId }))
      .forUpdate(),
);

/** Like `lock`, for what the actor may see. */
export const lockVisible = async (
  db: Transaction<Tables>,
  { role, id: actorId }: Viewer,
  id: string,
): Promise<TicketRow | undefined> => (await locked(db, { role }, { id, actorId }))[0];

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

const visible = prepared(
  (db: Kysely<Tables>, { role }: Pick<Viewer, 'role'>, values: { id: string; actorId: string }) =>
    views(db)
      .where('tickets.id', '=', values.id)
      .where(visibleTickets({ role, id: values.actorId })),
);

export const findVisible = async (
  db: Kysely<Tables>,
  { role, id: actorId }: Viewer,
  id: string,
): Promise<TicketView | undefined> => (await visible(db, { role }, { id, actorId }))[0];

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

type ListVariant = Pick<Viewer, 'role'> & {
  /** The fields of the filter, and what they say where that is no value to bind. */
  by: { [Field in keyof TicketFilter]?: unknown };
  sort: TicketSort;
  goesOn: boolean;
};
type ListValues = Required<Omit<TicketFilter, 'handedOff'>> & {
  actorId: string;
  after: string;
  afterId: string;
  rows: number;
};

const listed = prepared(
  (db: Kysely<Tables>, { role, by, sort, goesOn }: ListVariant, values: ListValues) => {
    let query = views(db).where(visibleTickets({ role, id: values.actorId }));
    if (by.status) query = query.where(sql<boolean>`tickets.status = any(${values.status})`);
    if (by.priority) query = query.where(sql<boolean>`tickets.priority = any(${values.priority})`);
    if (by.assignee === 'none') query = query.where('tickets.assignee_id', 'is', null);
    else if (by.assignee) query = query.where('tickets.assignee_id', '=', values.assignee);
    if (by.requester) query = query.where('tickets.requester_id', '=', values.requester);
    if (by.handedOff !== undefined) {
      query = query.where('tickets.handoff_at', by.handedOff ? 'is not' : 'is', null);
    }
    if (by.createdFrom) query = query.where('tickets.created_at', '>=', values.createdFrom);
    if (by.createdBefore) query = query.where('tickets.created_at', '<', values.createdBefore);
    if (by.text) query = query.where(sql<boolean>`tickets.title ilike ${values.text}`);
    const column = `tickets.${sort.column}` as const;
    if (goesOn) {
      const cast = sort.column === 'number' ? 'bigint' : 'timestamptz';
      const position = { value: values.after, id: values.afterId };
      query = query.where(behind(column, 'tickets.id', cast, sort.direction, position));
    }
    return query
      .orderBy(column, sort.direction)
      .orderBy('tickets.id', sort.direction)
      .limit(values.rows);
  },
);

/** One row more than `limit` tells that there is more. */
export const list = (
  db: Kysely<Tables>,
  { role, id: actorId }: Viewer,
  filter: TicketFilter,
  sort: TicketSort,
  { limit, after }: { limit: number; after: Position | undefined },
): Promise<TicketView[]> =>
  listed(
    db,
    { role, by: fieldsOf(filter), sort, goesOn: after !== undefined },
    {
      ...(filter as Required<TicketFilter>),
      text: `%${filter.text?.replace(/[\\%_]/g, '\\$&')}%`,
      actorId,
      after: after?.value ?? '',
      afterId: after?.id ?? '',
      rows: limit + 1,
    },
  );

function fieldsOf(filter: TicketFilter): ListVariant['by'] {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    given.map(([field, value]) => [field, value === 'none' || value === false ? value : true]),
  );
}

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

const appended = prepared(
  (
    _db: Kysely<Tables>,
    _variant: object,
    message: Omit<Required<NewMessage>, 'citations' | 'answerId'> & {
      citations: string | null;
      answerId: string | null;
      now: Date;
    },
  ) => sql<Selectable<MessagesTable>>`
    with ticket as (
      update tickets set last_seq = last_seq + 1, last_message_at = ${message.now},
        updated_at = ${message.now}
      where id = ${message.ticketId} returning id, last_seq
    )
    insert into messages (id, ticket_id, seq, author_type, author_id, visibility, content, citations,
      answer_id, created_at)
    select ${message.id}::uuid, id, last_seq, ${message.authorType}, ${message.authorId}::uuid,
      ${message.visibility}, ${message.content}, ${message.citations}::jsonb,
      ${message.answerId}::uuid, ${message.now}::timestamptz
    from ticket returning *`,
);

/** Appends a message under the ticket's row lock, which also hands out its `seq`. */
export async function appendMessage(
  db: Transaction<Tables>,
  message: NewMessage,
  now: Date,
): Promise<Selectable<MessagesTable>> {
  const [row] = await appended(
    db,
    {},
    {
      id: randomUUIDv7(),
      visibility: 'public',
      ...message,
      citations: message.citations?.length ? JSON.stringify(message.citations) : null,
      answerId: message.answerId ?? null,
      now,
    },
  );
  if (!row) throw new Error(`ticket ${message.ticketId} is gone`);
  return row;
}

type Direction = 'asc' | 'desc';

const listedMessages = prepared(
  (
    db: Kysely<Tables>,
    { role, direction, goesOn }: Pick<Viewer, 'role'> & { direction: Direction; goesOn: boolean },
    values: { ticketId: string; afterSeq: number; rows: number },
  ) => {
    let query = db
      .selectFrom('messages')
      .leftJoin('users', 'users.id', 'messages.author_id')
      .leftJoin('answers', 'answers.id', 'messages.answer_id')
      .selectAll('messages')
      .select(['users.name as author_name', 'answers.state as answer_state'])
      .where('messages.ticket_id', '=', values.ticketId)
      .where(visibleMessages({ role }));
    if (goesOn)
      query = query.where('messages.seq', direction === 'asc' ? '>' : '<', values.afterSeq);
    return query.orderBy('messages.seq', direction).limit(values.rows);
  },
);

/** Messages that the actor may see, in either direction, one more than `limit`. */
export const listMessages = (
  db: Kysely<Tables>,
  { role }: Viewer,
  ticketId: string,
  { limit, direction, afterSeq }: { limit: number; direction: Direction; afterSeq?: number },
): Promise<MessageView[]> =>
  listedMessages(
    db,
    { role, direction, goesOn: afterSeq !== undefined },
    { ticketId, afterSeq: afterSeq ?? 0, rows: limit + 1 },
  );

/** An answer that was cut, with what it had shown. */
export type EndedAnswer = Selectable<AnswersTable>;

/**
 * Ends every live answer of a ticket, keeping what was shown: the rows' own text, which is what
 * readers saw at most. The caller holds the ticket's lock, so no answer can start or end meanwhile.
 */
export const endLiveAnswers = (
  db: Transaction<Tables>,
  ticketId: string,
  state: 'superseded' | 'cancelled',
): Promise<EndedAnswer[]> => endedAnswers(db, {}, { ticketId, state });

const endedAnswers = prepared(
  (
    db: Kysely<Tables>,
    _variant: object,
    { ticketId, state }: { ticketId: string; state: 'superseded' | 'cancelled' },
  ) =>
    db
      .updateTable('answers')
      .set({ state, ended_at: sql<Date>`now()`, lease_owner: null, lease_until: null })
      .where('ticket_id', '=', ticketId)
      .where('state', 'in', ['queued', 'streaming'])
      .returningAll(),
);

const silenced = prepared(
  (db: Kysely<Tables>, _variant: object, { ticketId }: { ticketId: string }) =>
    db
      .updateTable('tickets')
      .set({ assistant: 'paused' })
      .where('id', '=', ticketId)
      .where('assistant', '=', 'active'),
);

/**
 * The fence of a take-over: from this statement's commit on, the assistant says nothing more on the
 * ticket. Returns what its live answers had shown.
 */
export async function silenceAssistant(
  db: Transaction<Tables>,
  ticketId: string,
): Promise<EndedAnswer[]> {
  await silenced(db, {}, { ticketId });
  return endLiveAnswers(db, ticketId, 'superseded');
}
