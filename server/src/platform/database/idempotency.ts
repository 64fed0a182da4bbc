import { sql, type Transaction } from 'kysely';

/** A client's `Idempotency-Key`, with the route and the request that it came with. */
export type Idempotency = { route: string; key: string; requestHash: string };

/** What an effect left, and whether an earlier request with the same key had it. */
export type Effect<Body> = { body: Body; replayed: boolean };

export class IdempotencyError extends Error {
  readonly reason: 'in-flight' | 'reused';

  constructor(reason: 'in-flight' | 'reused') {
    super(messages[reason]);
    this.name = 'IdempotencyError';
    this.reason = reason;
  }
}

const messages = {
  'in-flight': 'A request with this Idempotency-Key is being worked on; try again shortly.',
  reused: 'This Idempotency-Key was used with another body; use a new one.',
};

/** A key is remembered for a day; older rows count as absent. */
const lifeHours = 24;
export const expiredKeys = sql`created_at < now() - make_interval(hours => ${lifeHours})`;

/**
 * Gives `effect` at most one run per user, route and key; without a key it just runs. Must be the
 * first statement of the effect's transaction: the effect and the record of it commit together, so a
 * crash frees the key at once, and a second request that comes while the first runs is told so
 * instead of waiting. What `effect` returns is kept for a day: ids, from which the reply is made anew.
 * Throws `IdempotencyError`.
 */
export async function once<Tables, Body extends object>(
  db: Transaction<Tables>,
  userId: string,
  idempotency: Idempotency | undefined,
  effect: () => Promise<Body>,
): Promise<Effect<Body>> {
  if (!idempotency) return { body: await effect(), replayed: false };
  const { route, key, requestHash } = idempotency;
  const name = `${userId} ${route} ${key}`;
  const lock = await sql<{ got: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as got`.execute(db);
  if (!lock.rows[0]?.got) throw new IdempotencyError('in-flight');

  const mine = sql`user_id = ${userId} and route = ${route} and key = ${key}`;
  await sql`delete from idempotency_keys
    where ${mine} and ${expiredKeys}`.execute(db);
  const found = await sql<{ request_hash: string; body: Body }>`
    select request_hash, body from idempotency_keys where ${mine}`.execute(db);
  const known = found.rows[0];
  if (known && known.request_hash !== requestHash) throw new IdempotencyError('reused');
  if (known) return { body: known.body, replayed: true };

  const body = await effect();
  // The route knows its status; the column goes when no running version reads it.
  await sql`
    insert into idempotency_keys (user_id, route, key, request_hash, status, body)
    values (${userId}, ${route}, ${key}, ${requestHash}, 200, ${JSON.stringify(body)}::jsonb)`.execute(
    db,
  );
  return { body, replayed: false };
}
