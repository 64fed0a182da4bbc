import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely, type Selectable, type Transaction, type Updateable } from 'kysely';
import type { AnswerSource, AnswersTable, Tables } from '../../tables.ts';

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
