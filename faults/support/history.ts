import { sql } from 'kysely';
import { publicEventTypes } from '../../server/src/features/events/event-types.ts';
import type { Figure } from '../scenario.ts';
import { ackedCount, type Acked } from './clients.ts';
import { becomes, type Desk } from './desk.ts';

type Work = Pick<Desk, 'db' | 'receiver'>;

/** What must come to an end when nobody works any more. */
const answersEndWithinMs = 30_000;
const deliveriesEndWithinMs = 300_000;

/**
 * Waits until nothing is on its way, then reads everything back and holds it against what clients
 * were told and what the receiver got.
 */
export async function checkHistory(work: Work, acked: Acked): Promise<Figure[]> {
  const areAnswersOver = await becomes(
    async () => (await countOf(work, sql`answers where ended_at is null`)) === 0,
    answersEndWithinMs,
  );
  await becomes(async () => (await onTheirWay(work)) === 0, deliveriesEndWithinMs);
  return [
    ...(await lostOrTwice(work, acked)),
    await messagesInOrder(work, acked),
    await answersEnded(work, areAnswersOver),
    ...(await eventsDelivered(work)),
  ];
}

const none = (what: string, among: number, cases: readonly unknown[]): Figure => ({
  what,
  measured:
    `${cases.length} of ${among.toLocaleString('en')}` +
    (cases.length > 0 ? `, such as ${JSON.stringify(cases[0])}` : ''),
  promise: '0',
  holds: cases.length === 0,
});

async function rowsOf<Row>({ db }: Work, query: ReturnType<typeof sql>): Promise<Row[]> {
  return (await query.execute(db)).rows as Row[];
}

async function countOf(work: Work, from: ReturnType<typeof sql>): Promise<number> {
  const [row] = await rowsOf<{ count: number }>(work, sql`select count(*)::int from ${from}`);
  return row?.count ?? 0;
}

const onTheirWay = async (work: Work): Promise<number> =>
  (await countOf(work, sql`webhook_deliveries where state = 'pending'`)) +
  (await countOf(work, sql`events where position is null`));

/** What was acknowledged is there; and what was sent is there once, acknowledged or not. */
async function lostOrTwice(work: Work, acked: Acked): Promise<Figure[]> {
  const tickets = await rowsOf<{ id: string; title: string; tags: string[]; priority: string }>(
    work,
    sql`select id, title, tags, priority from tickets`,
  );
  const messages = await rowsOf<{ id: string; seq: number; content: string }>(
    work,
    sql`select id, seq, content from messages where author_type in ('customer', 'agent') and seq > 1`,
  );
  const articles = await rowsOf<{ id: string; title: string }>(
    work,
    sql`select id, title from articles`,
  );
  const changes = await rowsOf<{ tag: string }>(
    work,
    sql`select data #>> '{tags,0}' as tag from events
      where type = 'ticket.updated' and previous ? 'tags' and jsonb_array_length(data -> 'tags') > 0`,
  );
  const ticketOf = new Map(tickets.map((ticket) => [ticket.id, ticket]));
  const messageOf = new Map(messages.map((message) => [message.id, message]));
  const articleOf = new Map(articles.map((article) => [article.id, article]));
  const lost = [
    ...[...acked.tickets].filter(([id, title]) => ticketOf.get(id)?.title !== title),
    ...[...acked.articles].filter(([id, title]) => articleOf.get(id)?.title !== title),
    ...[...acked.tags].filter(
      ([id, tag]) => ticketOf.get(id)?.tags[0] !== tag || ticketOf.get(id)?.priority !== 'high',
    ),
    ...acked.messages.filter(({ id, seq, content }) => {
      const stored = messageOf.get(id);
      return stored?.seq !== seq || stored.content !== content;
    }),
  ];
  const marks = [
    ...tickets.map(({ title }) => title),
    ...messages.map(({ content }) => content),
    ...articles.map(({ title }) => title),
    ...changes.map(({ tag }) => tag),
  ];
  return [
    none('acked writes lost', ackedCount(acked), lost),
    none('effects twice', marks.length, repeated(marks)),
  ];
}

function repeated(marks: readonly string[]): string[] {
  const seen = new Set<string>();
  return marks.filter((mark) => seen.has(mark) || !seen.add(mark));
}

async function messagesInOrder(work: Work, acked: Acked): Promise<Figure> {
  const broken = await rowsOf<{ id: string }>(
    work,
    sql`select tickets.id from tickets left join messages on ticket_id = tickets.id
      group by tickets.id having count(messages.id) <> last_seq or coalesce(max(seq), 0) <> last_seq
        or count(distinct seq) <> last_seq`,
  );
  const newest = new Map<string, number>();
  const swapped = acked.messages.filter(({ ticketId, seq }) => {
    const before = newest.get(ticketId) ?? 1;
    newest.set(ticketId, seq);
    return seq <= before;
  });
  const count = await countOf(work, sql`tickets`);
  return none('tickets whose messages have a hole or changed places', count, [
    ...broken,
    ...swapped,
  ]);
}

/** An answer that was completed or handed over with text is one message, any other none. */
async function answersEnded(work: Work, areOver: boolean): Promise<Figure> {
  const broken = await rowsOf<{ id: string; state: string }>(
    work,
    sql`select answers.id, state from answers left join messages on answer_id = answers.id
      group by answers.id
      having ended_at is null or count(messages.id) > 1
        or (state = 'completed' and count(messages.id) <> 1)`,
  );
  const count = await countOf(work, sql`answers`);
  const figure = none('answers that did not end, or not as one message', count, broken);
  return { ...figure, holds: figure.holds && areOver };
}

type StoredEvent = { id: string; ticket_id: string | null };

/** Every event of those that webhooks are told, once after de-duplication, and no other. */
async function eventsDelivered(work: Work): Promise<Figure[]> {
  const { receiver } = work;
  const events = await rowsOf<StoredEvent>(
    work,
    sql`select id, ticket_id from events where type = any(${[...publicEventTypes]}::text[])`,
  );
  const committed = new Set(events.map(({ id }) => id));
  const sequences = new Map<string, number[]>();
  for (const { ticketId = '', sequence } of receiver.taken.values()) {
    if (sequence === undefined) continue;
    sequences.set(ticketId, [...(sequences.get(ticketId) ?? []), sequence]);
  }
  const attempts = await rowsOf<{ id: string; count: number; running: number }>(
    work,
    sql`select event_id as id, count(*)::int as count,
        count(*) filter (where outcome = 'running')::int as running
      from webhook_attempts join webhook_deliveries on webhook_deliveries.id = delivery_id
      group by event_id`,
  );
  const logged = new Map(attempts.map(({ id, count }) => [id, count]));
  return [
    none('events not delivered, or delivered and not committed', events.length, [
      ...events.filter(({ id }) => !receiver.taken.has(id)),
      ...[...receiver.taken.keys()].filter((id) => !committed.has(id)),
    ]),
    none(
      'tickets whose events have holes or repetitions at the receiver',
      sequences.size,
      [...sequences].filter(([, list]) => !isGapless(list)),
    ),
    none('deliveries that did not end, or were not logged', attempts.length, [
      ...attempts.filter(({ running }) => running > 0),
      ...[...receiver.seen].filter(([id, times]) => times > (logged.get(id) ?? 0)),
      ...(await rowsOf(work, sql`select id from webhook_deliveries where state <> 'succeeded'`)),
    ]),
    none(
      'positions with holes or late comers',
      events.length,
      await rowsOf(
        work,
        sql`select position from (select position, row_number() over (order by position) as place
          from events) as ordered where position is distinct from place`,
      ),
    ),
  ];
}

const isGapless = (sequences: readonly number[]): boolean =>
  sequences.toSorted((one, other) => one - other).every((sequence, at) => sequence === at + 1);
