import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely, type Selectable, type Transaction, type Updateable } from 'kysely';
import type { AnswerSource, AnswersTable, AuthorType, Citation, Tables } from '../../tables.ts';

export type AnswerRow = Selectable<AnswersTable>;

export const find = (db: Kysely<Tables>, id: string): Promise<AnswerRow | undefined> =>
  db.selectFrom('answers').selectAll().where('id', '=', id).executeTakeFirst();

export const findMany = (db: Kysely<Tables>, ids: string[]): Promise<AnswerRow[]> =>
  db
    .selectFrom('answers')
    .selectAll()
    .where(sql<boolean>`id = any(${ids})`)
    .execute();

/** The answer that a reader of the ticket wants: the queued one, else the streaming one, else the last. */
export const findLatest = (db: Kysely<Tables>, ticketId: string): Promise<AnswerRow | undefined> =>
  db
    .selectFrom('answers')
    .selectAll()
    .where('ticket_id', '=', ticketId)
    .orderBy(sql`case state when 'queued' then 0 when 'streaming' then 1 else 2 end`)
    .orderBy('queued_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();

/** `seq` of the newest message of the requester; 0 when there is none. */
export async function lastCustomerSeq(db: Kysely<Tables>, ticketId: string): Promise<number> {
  const { seq } = await db
    .selectFrom('messages')
    .select(sql<number>`coalesce(max(seq), 0)`.as('seq'))
    .where('ticket_id', '=', ticketId)
    .where('author_type', '=', 'customer')
    .executeTakeFirstOrThrow();
  return seq;
}

export type Enqueued = {
  id: string;
  /** `joined`: it waits already; `restarted`: it had shown nothing and begins anew; `created`: new. */
  how: 'joined' | 'restarted' | 'created';
};

const leaseEnd = (leaseMs: number) => sql<Date>`now() + make_interval(secs => ${leaseMs / 1000})`;

/**
 * Gives the newest customer message an answer, under the ticket's lock. The lease of a queued answer
 * is its starter's promise to start it; when that passes, any instance may.
 */
export async function enqueue(
  db: Transaction<Tables>,
  ticketId: string,
  seq: number,
  leaseMs: number,
): Promise<Enqueued> {
  const queued = {
    state: 'queued' as const,
    up_to_seq: seq,
    lease_owner: null,
    lease_until: leaseEnd(leaseMs),
  };
  const joined = await db
    .updateTable('answers')
    .set({ up_to_seq: seq })
    .where('ticket_id', '=', ticketId)
    .where('state', '=', 'queued')
    .returning('id')
    .executeTakeFirst();
  if (joined) return { ...joined, how: 'joined' };
  const restarted = await db
    .updateTable('answers')
    .set({ ...queued, sources: null, provider: null, model: null, started_at: null })
    .where('ticket_id', '=', ticketId)
    .where('state', '=', 'streaming')
    .where('text', '=', '')
    .returning('id')
    .executeTakeFirst();
  if (restarted) return { ...restarted, how: 'restarted' };
  const created = await db
    .insertInto('answers')
    .values({
      ...queued,
      id: randomUUIDv7(),
      ticket_id: ticketId,
      message_id: randomUUIDv7(),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { ...created, how: 'created' };
}

/**
 * Turns a queued answer into a streaming one that belongs to `owner`, under the ticket's lock.
 * Undefined when it is not queued any more or another answer of the ticket is streaming.
 */
export const claim = (
  db: Transaction<Tables>,
  where: { id?: string; ticketId: string },
  owner: string,
  leaseMs: number,
): Promise<AnswerRow | undefined> => {
  let query = db
    .updateTable('answers')
    .set({
      state: 'streaming',
      lease_owner: owner,
      lease_until: leaseEnd(leaseMs),
      started_at: sql<Date>`now()`,
      up_to_seq: sql<number>`(select coalesce(max(seq), 0) from messages
        where messages.ticket_id = answers.ticket_id and author_type = 'customer')`,
    })
    .where('ticket_id', '=', where.ticketId)
    .where('state', '=', 'queued')
    .where(
      sql<boolean>`not exists (select 1 from answers other
        where other.ticket_id = answers.ticket_id and other.state = 'streaming')`,
    );
  if (where.id) query = query.where('id', '=', where.id);
  return query.returningAll().executeTakeFirst();
};

/** What a run writes of itself before it has text. False when the answer is no longer its own. */
export async function saveSources(
  db: Kysely<Tables>,
  answer: { id: string; owner: string },
  sources: AnswerSource[],
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('answers')
    .set({ sources: JSON.stringify(sources) })
    .where('id', '=', answer.id)
    .where('state', '=', 'streaming')
    .where('lease_owner', '=', answer.owner)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/**
 * Saves the grown texts of all runs of this process in one statement and renews their leases.
 * Returns the owners whose rows were still theirs.
 */
export async function saveTexts(
  db: Kysely<Tables>,
  runs: { id: string; owner: string; text: string }[],
  leaseMs: number,
): Promise<Set<string>> {
  const { rows } = await sql<{ lease_owner: string }>`
    update answers set text = grown.text, lease_until = ${leaseEnd(leaseMs)}
    from unnest(${runs.map((run) => run.id)}::uuid[], ${runs.map((run) => run.owner)}::uuid[],
      ${runs.map((run) => run.text)}::text[]) as grown (id, owner, text)
    where answers.id = grown.id and state = 'streaming' and lease_owner = grown.owner
    returning lease_owner`.execute(db);
  return new Set(rows.map((row) => row.lease_owner));
}

/** Ends a live answer; `owner` when only its own run may. Undefined when it is not live (any more). */
export const end = (
  db: Transaction<Tables>,
  where: { id: string; owner?: string },
  values: Updateable<AnswersTable>,
): Promise<AnswerRow | undefined> => {
  let query = db
    .updateTable('answers')
    .set({ ...values, ended_at: sql<Date>`now()`, lease_owner: null, lease_until: null })
    .where('id', '=', where.id)
    .where('state', 'in', ['queued', 'streaming']);
  if (where.owner) query = query.where('lease_owner', '=', where.owner);
  return query.returningAll().executeTakeFirst();
};

/** Ends the answer that waits behind one that went to a person: the person answers it too. */
export const endQueued = (
  db: Transaction<Tables>,
  ticketId: string,
  values: Updateable<AnswersTable>,
): Promise<AnswerRow | undefined> =>
  db
    .updateTable('answers')
    .set({ ...values, ended_at: sql<Date>`now()`, lease_until: null })
    .where('ticket_id', '=', ticketId)
    .where('state', '=', 'queued')
    .returningAll()
    .executeTakeFirst();

/** Puts an answer that has shown nothing back, to be started by whoever comes first. */
export const requeue = (
  db: Transaction<Tables>,
  id: string,
  attempt: number,
  leaseMs: number,
): Promise<AnswerRow | undefined> =>
  db
    .updateTable('answers')
    .set({
      state: 'queued',
      attempt,
      sources: null,
      provider: null,
      model: null,
      started_at: null,
      lease_owner: null,
      lease_until: leaseEnd(leaseMs),
    })
    .where('id', '=', id)
    .where('state', 'in', ['queued', 'streaming'])
    .where('text', '=', '')
    .returningAll()
    .executeTakeFirst();

/** Live answers that nobody keeps alive, oldest first. */
export const listExpired = (
  db: Kysely<Tables>,
  limit: number,
): Promise<Pick<AnswerRow, 'id' | 'ticket_id'>[]> =>
  db
    .selectFrom('answers')
    .select(['id', 'ticket_id'])
    .where('state', 'in', ['queued', 'streaming'])
    .where('lease_until', '<', sql<Date>`now()`)
    .orderBy('lease_until')
    .limit(limit)
    .execute();

/** The same row again, under the ticket's lock, when it is still expired. */
export const findExpired = (db: Transaction<Tables>, id: string): Promise<AnswerRow | undefined> =>
  db
    .selectFrom('answers')
    .selectAll()
    .where('id', '=', id)
    .where('state', 'in', ['queued', 'streaming'])
    .where('lease_until', '<', sql<Date>`now()`)
    .executeTakeFirst();

export type Turn = { author_type: AuthorType; content: string; seq: number };

/** The public conversation without later messages of the customer, oldest first, the newest `limit`. */
export async function listTurns(
  db: Kysely<Tables>,
  ticketId: string,
  upToSeq: number,
  limit: number,
): Promise<Turn[]> {
  const turns = await db
    .selectFrom('messages')
    .select(['author_type', 'content', 'seq'])
    .where('ticket_id', '=', ticketId)
    .where('visibility', '=', 'public')
    // What was said while the question waited belongs to the conversation too.
    .where((is) => is.or([is('seq', '<=', upToSeq), is('author_type', '<>', 'customer')]))
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute();
  return turns.reverse();
}

/** How the answers before this one ended, newest first. */
export const listPrevious = (
  db: Kysely<Tables>,
  answer: AnswerRow,
  limit: number,
): Promise<Pick<AnswerRow, 'verdict' | 'handoff_mode' | 'up_to_seq' | 'feedback_helpful'>[]> =>
  db
    .selectFrom('answers')
    .select(['verdict', 'handoff_mode', 'up_to_seq', 'feedback_helpful'])
    .where('ticket_id', '=', answer.ticket_id)
    .where('id', '<>', answer.id)
    .where('ended_at', 'is not', null)
    .orderBy('ended_at', 'desc')
    .limit(limit)
    .execute();

/**
 * `seq` of the newest message before the answer's question that has had its reply: an answer of ours,
 * whatever its end, or a person's. What the customer wrote after it is the question.
 */
export async function answeredSeq(db: Kysely<Tables>, answer: AnswerRow): Promise<number> {
  const { rows } = await sql<{ seq: number }>`
    select greatest(
      (select max(up_to_seq) from answers
        where ticket_id = ${answer.ticket_id} and up_to_seq < ${answer.up_to_seq}
          and ended_at is not null),
      (select max(seq) from messages
        where ticket_id = ${answer.ticket_id} and seq < ${answer.up_to_seq}
          and author_type = 'agent' and visibility = 'public'),
      0) as seq`.execute(db);
  return rows[0]?.seq ?? 0;
}

/** Whether a person has publicly replied to the message `seq`. */
export async function hasPersonReplied(
  db: Kysely<Tables>,
  ticketId: string,
  seq: number,
): Promise<boolean> {
  const reply = await db
    .selectFrom('messages')
    .select('id')
    .where('ticket_id', '=', ticketId)
    .where('seq', '>', seq)
    .where('author_type', '=', 'agent')
    .where('visibility', '=', 'public')
    .limit(1)
    .executeTakeFirst();
  return reply !== undefined;
}

/** What the ticket says of itself and of its customer. */
export const getTicketOf = (db: Kysely<Tables>, answer: Pick<AnswerRow, 'ticket_id'>) =>
  db
    .selectFrom('tickets')
    .innerJoin('users', 'users.id', 'tickets.requester_id')
    .select(['title', 'description', 'requester_id', 'users.name', 'users.locale'])
    .where('tickets.id', '=', answer.ticket_id)
    .executeTakeFirstOrThrow();

/** The customer's newest words on a ticket. */
export async function newestQuestion(db: Kysely<Tables>, ticketId: string): Promise<string> {
  const message = await db
    .selectFrom('messages')
    .select('content')
    .where('ticket_id', '=', ticketId)
    .where('author_type', '=', 'customer')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return message?.content ?? '';
}

/** What the answers of a ticket have cited, newest first, each article once. */
export async function listCited(db: Kysely<Tables>, ticketId: string): Promise<Citation[]> {
  const { rows } = await sql<Citation>`
    select n, article_id, title, quote from (
      select distinct on (article_id) cited.*, answers.ended_at
      from answers, jsonb_to_recordset(answers.citations)
        as cited (n integer, article_id text, title text, quote text)
      where ticket_id = ${ticketId} order by article_id, answers.ended_at desc
    ) newest order by ended_at desc, n limit 5`.execute(db);
  return rows;
}

/** A prompt of which the provider has not told the tokens: it was stopped before its end. */
const promptTokensGuess = 2_000;

/**
 * What a customer's answers before this one took in the last 24 hours. What was decided without a
 * model or a quotation is free.
 */
export async function spentToday(
  db: Kysely<Tables>,
  customerId: string,
  answerId: string,
): Promise<{ answers: number; tokens: number; cost: number }> {
  const { rows } = await sql<{ answers: number; tokens: number; cost: number }>`
    select count(*)::int as answers, coalesce(sum(cost), 0)::float8 as cost,
      coalesce(sum(case when provider = 'extractive' then 0 else coalesce(
        input_tokens + output_tokens, ${sql.lit(promptTokensGuess)} + length(text) / 4) end), 0
      )::float8 as tokens
    from answers join tickets on tickets.id = answers.ticket_id
    where tickets.requester_id = ${customerId}
      and answers.started_at > now() - interval '24 hours'
      and (answers.started_at, answers.id) <
        (select started_at, id from answers where id = ${answerId})
      and jsonb_array_length(coalesce(sources, '[]')) > 0`.execute(db);
  return rows[0] ?? { answers: 0, tokens: 0, cost: 0 };
}

export const saveFeedback = (
  db: Transaction<Tables>,
  id: string,
  feedback: { helpful: boolean; reason: string | null; comment: string | null },
): Promise<AnswerRow> =>
  db
    .updateTable('answers')
    .set({
      feedback_helpful: feedback.helpful,
      feedback_reason: feedback.reason,
      feedback_comment: feedback.comment,
      feedback_at: sql<Date>`now()`,
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();

/** Until when a provider asked all instances to stay away. */
export async function findPause(
  db: Kysely<Tables>,
  provider: string,
  model: string,
): Promise<Date | undefined> {
  const pause = await db
    .selectFrom('ai_pauses')
    .select('until')
    .where('provider', '=', provider)
    .where('model', '=', model)
    .where('until', '>', sql<Date>`now()`)
    .executeTakeFirst();
  return pause?.until;
}

export async function savePause(
  db: Kysely<Tables>,
  provider: string,
  model: string,
  until: Date,
): Promise<void> {
  await db
    .insertInto('ai_pauses')
    .values({ provider, model, until })
    .onConflict((conflict) =>
      conflict
        .columns(['provider', 'model'])
        .doUpdateSet({ until: sql<Date>`greatest(ai_pauses.until, excluded.until)` }),
    )
    .execute();
}
