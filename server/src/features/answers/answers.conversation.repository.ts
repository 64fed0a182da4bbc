import { sql, type Kysely } from 'kysely';
import type { AuthorType, Citation, Tables } from '../../tables.ts';
import type { AnswerRow } from './answers.repository.ts';

/*
 * What an answer is made from, and judged by: the ticket and its messages, and the answers before it.
 */

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
