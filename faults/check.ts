import type pg from 'pg';
import type { Acked } from './clients.ts';
import type { FaultyReceiver } from './receiver.ts';

/** What does not hold, in sentences; empty when all of it does. */
export async function findBroken(
  database: pg.Client,
  receiver: FaultyReceiver,
  acked: Acked,
): Promise<string[]> {
  const broken: string[] = [];
  const expectNone = (what: string, cases: readonly unknown[]): void => {
    if (cases.length > 0) broken.push(`${what}: ${cases.length}, e.g. ${JSON.stringify(cases[0])}`);
  };
  const all = async <Row extends pg.QueryResultRow>(text: string): Promise<Row[]> =>
    (await database.query<Row>(text)).rows;

  const events = await all<{ id: string; type: string; ticket_id: string | null }>(
    `select id, type, ticket_id from events where ticket_id is not null`,
  );
  const committed = new Set(events.map(({ id }) => id));
  expectNone(
    'committed events that were not received',
    events.filter(({ id }) => !receiver.taken.has(id)),
  );
  expectNone(
    'received events of tickets that were not committed',
    [...receiver.taken].filter(
      ([id, { sequence }]) => sequence !== undefined && !committed.has(id),
    ),
  );

  const sequences = new Map<string, number[]>();
  for (const { ticketId = '', sequence } of receiver.taken.values()) {
    if (sequence === undefined) continue;
    sequences.set(ticketId, [...(sequences.get(ticketId) ?? []), sequence]);
  }
  expectNone(
    'tickets whose sequence has holes or repetitions at the receiver',
    [...sequences].filter(([, list]) =>
      list.sort((one, other) => one - other).some((sequence, at) => sequence !== at + 1),
    ),
  );

  const attempts = await all<{ event_id: string; count: number; running: number }>(
    `select event_id, count(*)::int as count,
       count(*) filter (where outcome = 'running')::int as running
     from webhook_attempts join webhook_deliveries on webhook_deliveries.id = delivery_id
     group by event_id`,
  );
  const logged = new Map(attempts.map(({ event_id, count }) => [event_id, count]));
  expectNone(
    'events that the receiver saw more often than the log has attempts',
    [...receiver.seen].filter(([id, times]) => times > (logged.get(id) ?? 0)),
  );
  expectNone(
    'attempts that never ended',
    attempts.filter(({ running }) => running > 0),
  );
  expectNone(
    'deliveries that did not succeed',
    await all(`select id, state, tries from webhook_deliveries where state <> 'succeeded'`),
  );
  expectNone(
    'positions with holes or late comers',
    await all(`select position from (select position, row_number() over (order by position) as place
      from events) as ordered where position is distinct from place`),
  );

  const titles = await all<{ id: string; title: string; count: number }>(
    `select min(id::text) as id, title, count(*)::int as count from tickets group by title`,
  );
  const known = new Map(titles.map((row) => [row.title, row]));
  expectNone(
    'tickets that were acknowledged and are not there, or twice',
    [...acked.tickets].filter(([id, title]) => {
      const row = known.get(title);
      return row?.id !== id || row.count !== 1;
    }),
  );
  const messages = await all<{ id: string }>(`select id from messages`);
  const stored = new Set(messages.map(({ id }) => id));
  expectNone(
    'messages that were acknowledged and are not there',
    [...acked.messages].filter((id) => !stored.has(id)),
  );
  return broken;
}
