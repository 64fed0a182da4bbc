import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely, type Selectable, type Transaction, type Updateable } from 'kysely';
import { behind, type Position } from '../../platform/database/page.ts';
import type { Tables, WebhooksTable } from '../../tables.ts';

export type WebhookRow = Selectable<WebhooksTable>;

/** Deliveries of the last 24 hours, by what became of them. */
export type Recent = { succeeded: number; failed: number; pending: number };
export type WebhookView = WebhookRow & { recent: Recent };

export type NewWebhook = Pick<WebhookRow, 'url' | 'description' | 'events' | 'secret'>;

export const count = async (db: Kysely<Tables>): Promise<number> => {
  const { rows } = await sql<{
    count: number;
  }>`select count(*)::int as count from webhooks`.execute(db);
  return rows[0]?.count ?? 0;
};

export const insert = (db: Transaction<Tables>, webhook: NewWebhook): Promise<WebhookRow> =>
  db
    .insertInto('webhooks')
    .values({ ...webhook, id: randomUUIDv7() })
    .returningAll()
    .executeTakeFirstOrThrow();

const views = (db: Kysely<Tables>) =>
  db
    .selectFrom('webhooks')
    .selectAll()
    .select(
      sql<Recent>`(select json_build_object(
        'succeeded', count(*) filter (where state = 'succeeded'),
        'failed', count(*) filter (where state = 'failed'),
        'pending', count(*) filter (where state = 'pending'))
        from webhook_deliveries where webhook_id = webhooks.id
          and webhook_deliveries.created_at > now() - interval '24 hours')`.as('recent'),
    );

export async function listIds(db: Kysely<Tables>): Promise<string[]> {
  const webhooks = await db.selectFrom('webhooks').select('id').orderBy('id').execute();
  return webhooks.map(({ id }) => id);
}

export const find = (db: Kysely<Tables>, id: string): Promise<WebhookView | undefined> =>
  views(db).where('id', '=', id).executeTakeFirst();

/** Newest first, one more than `limit`. */
export function list(
  db: Kysely<Tables>,
  page: { limit: number; after: Position | undefined },
): Promise<WebhookView[]> {
  let query = views(db);
  if (page.after) {
    query = query.where(behind('created_at', 'id', 'timestamptz', 'desc', page.after));
  }
  return query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
}

export const lock = (db: Transaction<Tables>, id: string): Promise<WebhookRow | undefined> =>
  db.selectFrom('webhooks').selectAll().where('id', '=', id).forNoKeyUpdate().executeTakeFirst();

export const update = (
  db: Transaction<Tables>,
  id: string,
  changes: Updateable<WebhooksTable>,
): Promise<WebhookRow> =>
  db
    .updateTable('webhooks')
    .set({ ...changes, version: sql<number>`version + 1`, updated_at: sql<Date>`now()` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();

/** The same secrets in another envelope: for readers the webhook has not changed. */
export const saveSecrets = (
  db: Transaction<Tables>,
  id: string,
  secrets: Pick<WebhookRow, 'secret' | 'previous_secret'>,
) => db.updateTable('webhooks').set(secrets).where('id', '=', id).execute();

export const remove = (db: Transaction<Tables>, id: string) =>
  db.deleteFrom('webhooks').where('id', '=', id).execute();

export const listEnabled = (db: Kysely<Tables>): Promise<Pick<WebhookRow, 'id' | 'events'>[]> =>
  db
    .selectFrom('webhooks')
    .select(['id', 'events'])
    .where('disabled_at', 'is', null)
    .orderBy('id')
    // None of them may go before their deliveries are there.
    .forKeyShare()
    .execute();

/** A webhook at the URL that it had: what is said of an old one is not true of a new one. */
export const placeOf = (id: string, url: string): string => `${id} ${url}`;

const isAt = (places: readonly string[]) =>
  sql<boolean>`(id || ' ' || url) = any(${[...places]}::text[])`;

/** Notes which receivers answer and which do not; rows that would not change are left alone. */
export async function recordHealth(
  db: Transaction<Tables>,
  health: { answering: string[]; failing: string[] },
): Promise<void> {
  await sql`
    update webhooks set failing_since = case when ${isAt(health.failing)} then now() end
    where (${isAt(health.answering)} and failing_since is not null)
      or (${isAt(health.failing)} and failing_since is null)`.execute(db);
}

/** Disables those that are gone, and those that have failed for too long; returns them. */
export async function disableDead(
  db: Transaction<Tables>,
  dead: { gone: string[]; failing: string[]; failingMs: number },
): Promise<WebhookRow[]> {
  const isGone = isAt(dead.gone);
  const { rows } = await sql<WebhookRow>`
    update webhooks set disabled_at = now(), version = version + 1, updated_at = now(),
      disabled_reason = case when ${isGone} then 'gone' else 'failing' end
    where disabled_at is null and (${isGone} or (${isAt(dead.failing)}
      and failing_since < now() - make_interval(secs => ${dead.failingMs / 1_000})))
    returning *`.execute(db);
  return rows;
}

/** Longer than any transaction, and than clocks of instances differ. */
const marginMs = 60_000;

/** A position in front of everything that happened since then. */
export async function positionBefore(db: Kysely<Tables>, since: Date): Promise<number> {
  // Ids begin with their time, so the primary key finds the place.
  const time = Math.max(0, since.getTime() - marginMs)
    .toString(16)
    .padStart(12, '0');
  const floor = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
  const event = await db
    .selectFrom('events')
    .select('position')
    .where('id', '>=', floor)
    .where('position', 'is not', null)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return Math.max(0, (event?.position ?? 1) - 1);
}

/** A stretch of the feed behind a position, for what was missed. */
export async function listEventsBehind(
  db: Kysely<Tables>,
  { position, since, limit }: { position: number; since: Date; limit: number },
): Promise<{ id: string; type: string; position: number; created_at: Date }[]> {
  const rows = await db
    .selectFrom('events')
    .select(['id', 'type', 'position', 'created_at'])
    .where('position', '>', position)
    .where('created_at', '>=', since)
    .orderBy('position')
    .limit(limit)
    .execute();
  return rows as { id: string; type: string; position: number; created_at: Date }[];
}
