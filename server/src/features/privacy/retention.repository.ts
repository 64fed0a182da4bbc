import { sql, type Kysely, type RawBuilder, type Transaction } from 'kysely';
import { expiredKeys } from '../../platform/database/idempotency.ts';
import type { Tables } from '../../tables.ts';

/** What is of no use when it is over: tables, and which of their rows have been so for long enough. */
export const technicalLogs = (
  cutOff: Date,
): [table: keyof Tables, isOver: RawBuilder<unknown>][] => [
  ['sessions', sql`least(expires_at, revoked_at) < ${cutOff}`],
  ['account_tokens', sql`expires_at < ${cutOff}`],
  ['mails', sql`begun_at < ${cutOff}`],
  ['webhook_deliveries', sql`ended_at < ${cutOff}`],
  ['idempotency_keys', expiredKeys],
];

/** Deletes some of these rows; true when there may be more. */
export async function removeSome(
  db: Kysely<Tables>,
  [table, isOver]: [keyof Tables, RawBuilder<unknown>],
  limit: number,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`delete from ${sql.table(table)} where ctid = any(array(
    select ctid from ${sql.table(table)} where ${isOver} limit ${limit}
  )) and ${isOver}`.execute(db);
  return Number(numAffectedRows) === limit;
}

/** Deletes some of the oldest events, in their order; true when there may be more. */
export async function removeEvents(
  db: Transaction<Tables>,
  cutOff: Date,
  limit: number,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`delete from events where id in (
    select id from (
      select id, created_at from events where position is not null order by position limit ${limit}
    ) as oldest where created_at < ${cutOff}
  )`.execute(db);
  return Number(numAffectedRows) === limit;
}

/** Tickets that are resolved or closed, and that nothing has happened to since then. */
export async function listDoneTickets(
  db: Kysely<Tables>,
  cutOff: Date,
  limit: number,
): Promise<string[]> {
  const tickets = await db
    .selectFrom('tickets')
    .select('id')
    .where('erased_at', 'is', null)
    .where('status', 'in', ['resolved', 'closed'])
    .where('updated_at', '<', cutOff)
    .orderBy('updated_at')
    .limit(limit)
    .execute();
  return tickets.map(({ id }) => id);
}

/** People whose erasing was begun before then and has not come to its end. */
export async function listUnfinished(
  db: Kysely<Tables>,
  before: Date,
  limit: number,
): Promise<string[]> {
  const users = await db
    .selectFrom('users')
    .select('id')
    .where('erase_requested_at', '<', before)
    .where('erased_at', 'is', null)
    .limit(limit)
    .execute();
  return users.map(({ id }) => id);
}
