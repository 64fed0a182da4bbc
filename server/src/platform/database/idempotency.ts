import { sql, type Transaction } from 'kysely';

/** What a request repeats under: its user, its route and the key that the client chose. */
export type IdempotencyScope = { userId: string; route: string; key: string; requestHash: string };

export type IdempotencyOutcome<Body> =
  | { kind: 'fresh' | 'replayed'; status: number; body: Body }
  | { kind: 'in-flight' }
  | { kind: 'reused' };

type IdempotencyRow = { request_hash: string; status: number; body: unknown };

/** A key is remembered for a day; older rows count as absent. */
const lifeHours = 24;
export const expiredKeys = sql`created_at < now() - make_interval(hours => ${lifeHours})`;

/**
 * Gives `effect` at most one run per scope. Must be the first statement of the effect's transaction:
 * the effect and the record of its reply commit together, so a crash frees the key at once, and a
 * second request that comes while the first runs is told so instead of waiting.
 */
export async function once<Tables, Body>(
  db: Transaction<Tables>,
  scope: IdempotencyScope,
  effect: () => Promise<{ status: number; body: Body }>,
): Promise<IdempotencyOutcome<Body>> {
  const name = `${scope.userId} ${scope.route} ${scope.key}`;
  const lock = await sql<{ got: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as got`.execute(db);
  if (!lock.rows[0]?.got) return { kind: 'in-flight' };

  const mine = sql`user_id = ${scope.userId} and route = ${scope.route} and key = ${scope.key}`;
  await sql`delete from idempotency_keys
    where ${mine} and ${expiredKeys}`.execute(db);
  const found = await sql<IdempotencyRow>`
    select request_hash, status, body from idempotency_keys where ${mine}`.execute(db);
  const known = found.rows[0];
  if (known) {
    if (known.request_hash !== scope.requestHash) return { kind: 'reused' };
    return { kind: 'replayed', status: known.status, body: known.body as Body };
  }

  const { status, body } = await effect();
  await sql`
    insert into idempotency_keys (user_id, route, key, request_hash, status, body)
    values (${scope.userId}, ${scope.route}, ${scope.key}, ${scope.requestHash}, ${status},
      ${JSON.stringify(body)}::jsonb)`.execute(db);
  return { kind: 'fresh', status, body };
}
