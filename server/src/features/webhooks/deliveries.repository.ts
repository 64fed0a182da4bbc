import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import { behind, type Position } from '../../platform/database/page.ts';
import type {
  AttemptOutcome,
  DeliveryState,
  EventsTable,
  Tables,
  WebhookAttemptsTable,
  WebhookDeliveriesTable,
} from '../../tables.ts';

export type DeliveryRow = Selectable<WebhookDeliveriesTable>;
export type AttemptRow = Selectable<WebhookAttemptsTable>;

/** An event with the text of the message that it is about, if it is about one. */
export type EventRow = Selectable<EventsTable> & { content: string | null };

/**
 * Makes deliveries that are due at once and returns their ids; one that is there already stays as it
 * is.
 */
export async function insert(
  db: Transaction<Tables>,
  deliveries: readonly { webhookId: string; eventId: string }[],
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    insert into webhook_deliveries (id, webhook_id, event_id)
    select * from unnest(${deliveries.map(() => randomUUIDv7())}::uuid[],
      ${deliveries.map(({ webhookId }) => webhookId)}::uuid[],
      ${deliveries.map(({ eventId }) => eventId)}::uuid[])
    on conflict (webhook_id, event_id) do nothing returning id`.execute(db);
  return rows.map(({ id }) => id);
}

/** A webhook is failing when nothing has succeeded for so long, and not for one bad reply. */
const failingSeconds = 10;

/** An attempt that is to be made now, with all that it takes. */
export type Claimed = {
  id: string;
  number: number;
  tries: number;
  webhook_id: string;
  url: string;
  secret: string;
  previous_secret: string | null;
  started_at: Date;
  event: EventRow;
};

export type Room = {
  /** Attempts that may be claimed in all. */
  total: number;
  /** Attempts that may run at once to one webhook, and to one that is failing. */
  perWebhook: number;
  perFailingWebhook: number;
  /** How many run already, by webhook. */
  running: ReadonlyMap<string, number>;
};

/**
 * Takes due deliveries, each for its next attempt, and logs that it begins. Until `leaseMs` is over
 * nobody else takes them. A webhook gets no more than its share, so that one that hangs holds up none
 * of the others; those with the fewest running come first.
 */
export async function claim(
  db: Transaction<Tables>,
  { total, perWebhook, perFailingWebhook, running }: Room,
  leaseMs: number,
): Promise<Claimed[]> {
  const { rows: claimed } = await sql<Omit<Claimed, 'event'> & { event_id: string }>`
    with busy as (
      select * from unnest(${[...running.keys()]}::uuid[], ${[...running.values()]}::int[])
        as busy (webhook_id, running)
    ), due as (
      select delivery.id, coalesce(busy.running, 0) as running, webhooks.url, webhooks.secret,
        case when webhooks.previous_secret_until > now() then webhooks.previous_secret end
          as previous_secret
      from webhooks left join busy on busy.webhook_id = webhooks.id
      cross join lateral (
        select id from webhook_deliveries
        where webhook_id = webhooks.id and state = 'pending' and next_attempt_at <= now()
        order by next_attempt_at
        limit greatest(0, case when webhooks.failing_since is null
          or webhooks.failing_since > now() - make_interval(secs => ${failingSeconds})
          then ${perWebhook}::int
          else ${perFailingWebhook}::int end - coalesce(busy.running, 0))
        for update skip locked
      ) as delivery
      where webhooks.disabled_at is null
      order by 2 limit ${total}
    ), claimed as (
      update webhook_deliveries set attempts = attempts + 1, tries = tries + 1,
        next_attempt_at = now() + make_interval(secs => ${leaseMs / 1_000})
      from due where webhook_deliveries.id = due.id
      returning webhook_deliveries.id, attempts as number, tries, webhook_id, event_id, due.url,
        due.secret, due.previous_secret
    ), interrupted as (
      update webhook_attempts set outcome = 'interrupted' from claimed
      where delivery_id = claimed.id and outcome = 'running'
    ), begun as (
      insert into webhook_attempts (delivery_id, number, url)
      select id, number, url from claimed
    )
    select claimed.*, now()::timestamptz(3) as started_at from claimed`.execute(db);
  if (claimed.length === 0) return [];
  const events = await findEvents(
    db,
    claimed.map((row) => row.event_id),
  );
  return claimed.flatMap(({ event_id, ...row }) => {
    const event = events.get(event_id);
    return event ? [{ ...row, event }] : [];
  });
}

async function findEvents(db: Kysely<Tables>, ids: string[]): Promise<Map<string, EventRow>> {
  const rows = await db
    .selectFrom('events')
    .leftJoin('messages', (join) =>
      join.onRef('messages.id', '=', 'events.subject_id').on('events.type', '=', 'message.created'),
    )
    .selectAll('events')
    .select('messages.content')
    .where(sql<boolean>`events.id = any(${ids})`)
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

export const findEvent = async (db: Kysely<Tables>, id: string): Promise<EventRow | undefined> =>
  (await findEvents(db, [id])).get(id);

/** How an attempt ended, and what its delivery is from then on. */
export type Ended = {
  id: string;
  number: number;
  /** The place in the schedule that the attempt had. */
  tries: number;
  outcome: Exclude<AttemptOutcome, 'running'>;
  durationMs: number;
  status: number | null;
  failure: string | null;
  message: string | null;
  responseHeaders: Record<string, string> | null;
  responseBody: string | null;
  state: DeliveryState;
  /** For a delivery that stays pending. */
  dueInMs: number | null;
};

/**
 * Logs how attempts ended and moves their deliveries on. A delivery that another attempt has taken
 * over meanwhile, or that was asked for anew, stays as it is, unless this one reached the receiver.
 */
export async function recordEnds(db: Transaction<Tables>, ends: readonly Ended[]): Promise<void> {
  await sql`
    update webhook_attempts set outcome = ended.outcome, duration_ms = ended.duration_ms,
      status = ended.status, failure = ended.failure, message = ended.message,
      response_headers = ended.response_headers, response_body = ended.response_body
    from jsonb_to_recordset(${JSON.stringify(ends.map(attemptOf))}::jsonb) as ended (
      delivery_id uuid, number int, outcome text, duration_ms int, status int, failure text,
      message text, response_headers jsonb, response_body text)
    where webhook_attempts.delivery_id = ended.delivery_id
      and webhook_attempts.number = ended.number`.execute(db);
  await sql`
    update webhook_deliveries set state = ended.state,
      tries = webhook_deliveries.tries - case when ended.outcome = 'interrupted' then 1 else 0 end,
      ended_at = case when ended.state <> 'pending' then now() end,
      next_attempt_at = case when ended.state = 'pending'
        then now() + make_interval(secs => ended.due_in_ms / 1000.0) end
    from jsonb_to_recordset(${JSON.stringify(ends.map(deliveryOf))}::jsonb)
      as ended (id uuid, number int, tries int, outcome text, state text, due_in_ms float8)
    where webhook_deliveries.id = ended.id and webhook_deliveries.state = 'pending'
      and (ended.state = 'succeeded'
        or (attempts = ended.number and webhook_deliveries.tries = ended.tries))`.execute(db);
}

const attemptOf = (end: Ended) => ({
  delivery_id: end.id,
  number: end.number,
  outcome: end.outcome,
  duration_ms: end.durationMs,
  status: end.status,
  failure: end.failure,
  message: end.message,
  response_headers: end.responseHeaders,
  response_body: end.responseBody,
});

const deliveryOf = ({ id, number, tries, outcome, state, dueInMs }: Ended) => ({
  id,
  number,
  tries,
  outcome,
  state,
  due_in_ms: dueInMs,
});

/** Milliseconds until something is due; negative when it is overdue, undefined when nothing is. */
export async function nextDueMs(db: Kysely<Tables>): Promise<number | undefined> {
  const { rows } = await sql<{ ms: number | null }>`
    select extract(epoch from min(due.next_attempt_at) - now())::float8 * 1000 as ms
    from webhooks cross join lateral (
      select next_attempt_at from webhook_deliveries
      where webhook_id = webhooks.id and state = 'pending'
      order by next_attempt_at limit 1
    ) as due where webhooks.disabled_at is null`.execute(db);
  return rows[0]?.ms ?? undefined;
}

/** Brings a delivery back to the beginning of the schedule. Undefined when it is not there. */
export const requeue = (
  db: Transaction<Tables>,
  webhookId: string,
  id: string,
): Promise<DeliveryRow | undefined> =>
  db
    .updateTable('webhook_deliveries')
    .set({ state: 'pending', tries: 0, next_attempt_at: sql<Date>`now()`, ended_at: null })
    .where('id', '=', id)
    .where('webhook_id', '=', webhookId)
    .returningAll()
    .executeTakeFirst();

/** Brings the failed deliveries of these events back. */
export const requeueFailed = (
  db: Transaction<Tables>,
  webhookId: string,
  eventIds: readonly string[],
) =>
  db
    .updateTable('webhook_deliveries')
    .set({ state: 'pending', tries: 0, next_attempt_at: sql<Date>`now()`, ended_at: null })
    .where('webhook_id', '=', webhookId)
    .where('state', '=', 'failed')
    .where(sql<boolean>`event_id = any(${eventIds})`)
    .execute();

/** A delivery with what its event is, and its newest attempt. */
export type DeliveryView = DeliveryRow & {
  type: string;
  ticket_id: string | null;
  url: string | null;
  status: number | null;
  failure: string | null;
  duration_ms: number | null;
};

const views = (db: Kysely<Tables>) =>
  db
    .selectFrom('webhook_deliveries')
    .innerJoin('events', 'events.id', 'webhook_deliveries.event_id')
    .leftJoin('webhook_attempts', (join) =>
      join
        .onRef('webhook_attempts.delivery_id', '=', 'webhook_deliveries.id')
        .onRef('webhook_attempts.number', '=', 'webhook_deliveries.attempts'),
    )
    .selectAll('webhook_deliveries')
    .select([
      'events.type',
      'events.ticket_id',
      'webhook_attempts.url',
      'webhook_attempts.status',
      'webhook_attempts.failure',
      'webhook_attempts.duration_ms',
    ]);

/** Newest first, one more than `limit`. */
export function list(
  db: Kysely<Tables>,
  webhookId: string,
  states: DeliveryState[] | undefined,
  page: { limit: number; after: Position | undefined },
): Promise<DeliveryView[]> {
  let query = views(db).where('webhook_id', '=', webhookId);
  if (states) query = query.where(sql<boolean>`webhook_deliveries.state = any(${states})`);
  if (page.after) {
    const at = 'webhook_deliveries.created_at';
    query = query.where(behind(at, 'webhook_deliveries.id', 'timestamptz', 'desc', page.after));
  }
  return query
    .orderBy('webhook_deliveries.created_at', 'desc')
    .orderBy('webhook_deliveries.id', 'desc')
    .limit(page.limit + 1)
    .execute();
}

export const find = (
  db: Kysely<Tables>,
  webhookId: string,
  id: string,
): Promise<DeliveryView | undefined> =>
  views(db)
    .where('webhook_id', '=', webhookId)
    .where('webhook_deliveries.id', '=', id)
    .executeTakeFirst();

/** The newest attempts of a delivery, oldest of them first. */
export async function listAttempts(
  db: Kysely<Tables>,
  deliveryId: string,
  limit: number,
): Promise<AttemptRow[]> {
  const rows = await db
    .selectFrom('webhook_attempts')
    .selectAll()
    .where('delivery_id', '=', deliveryId)
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
  return rows.reverse();
}
