import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { Tables } from '../../server/src/tables.ts';
import type { Person } from './people.ts';

export const messagesPerTicket = 6;

/** 480 characters, of which each text takes a part. */
const prose =
  'The parcel was handed to the carrier on the day after the order and has not moved since. ' +
  'Items can be sent back within thirty days of delivery when they were tried on indoors only. ' +
  'Refunds reach the card that was used for the payment within five working days. ' +
  'For orders that cross a border the carrier collects duties from the recipient before delivery. ' +
  'A colleague has looked at the photos and agrees that the seam should not have opened so soon. ' +
  'Please tell us which size you would like instead.';

/**
 * Fills an empty database with a desk's work: conversations of customer, assistant and people, which
 * a person has taken over, so that a reply of the staff starts nothing. The same every time.
 */
export async function insertTickets(
  db: Kysely<Tables>,
  count: number,
  people: { customers: readonly Person[]; agents: readonly Person[] },
): Promise<string[]> {
  const customers = people.customers.map((person) => person.userId);
  const agents = people.agents.map((person) => person.userId);
  const ticketId = sql`md5('ticket ' || n)::uuid`;
  const answerId = sql`md5('answer ' || n)::uuid`;
  const customer = sql`(${customers}::uuid[])[1 + n % ${sql.lit(customers.length)}]`;
  const agent = sql`(${agents}::uuid[])[1 + n % ${sql.lit(agents.length)}]`;
  const openedAt = sql`now() - interval '90 days' * (1 - n / ${sql.lit(count)}::float)`;
  await sql`
    insert into tickets (id, title, description, status, priority, requester_id, assignee_id, tags,
      assistant, last_seq, last_message_at, created_at, updated_at)
    select ${ticketId}, left(${prose}, 20 + n % 60), left(${prose}, 80 + n * 37 % 300), 'pending',
      (array['low', 'normal', 'normal', 'high', 'urgent'])[1 + n % 5], ${customer},
      case when n % 3 > 0 then ${agent} end, array['orders', 'returns'], 'paused',
      ${sql.lit(messagesPerTicket)}, ${openedAt}, ${openedAt}, ${openedAt}
    from generate_series(1, ${sql.lit(count)}) n`.execute(db);
  await sql`
    insert into answers (id, ticket_id, message_id, state, up_to_seq, text, citations, verdict,
      finish_reason, queued_at, started_at, ended_at)
    select ${answerId}, ${ticketId}, md5('message 2 of ' || n)::uuid, 'completed', 1,
      left(${prose}, 200), '[]', 'ANSWER', 'stop', ${openedAt}, ${openedAt}, ${openedAt}
    from generate_series(1, ${sql.lit(count)}) n`.execute(db);
  const isAnswer = sql`seq = 2`;
  const isCustomer = sql`seq % 2 = 1`;
  const citations = JSON.stringify([
    { n: 1, article_id: randomUUIDv7(), title: 'Sending items back', quote: prose.slice(89, 180) },
  ]);
  await sql`
    insert into messages (id, ticket_id, seq, author_type, author_id, content, citations, answer_id,
      created_at)
    select md5('message ' || seq || ' of ' || n)::uuid, ${ticketId}, seq,
      case when ${isAnswer} then 'assistant' when ${isCustomer} then 'customer' else 'agent' end,
      case when ${isAnswer} then null when ${isCustomer} then ${customer} else ${agent} end,
      left(${prose}, 60 + (n * 53 + seq * 97) % 400),
      case when ${isAnswer} then ${citations}::jsonb end,
      case when ${isAnswer} then ${answerId} end, ${openedAt} + interval '1 hour' * seq
    from generate_series(1, ${sql.lit(count)}) n,
      generate_series(1, ${sql.lit(messagesPerTicket)}) seq`.execute(db);
  const rows = await db.selectFrom('tickets').select('id').orderBy('number').execute();
  return rows.map((row) => row.id);
}

/** A ticket without a message for each customer, whose first message the assistant will answer. */
export async function insertEmptyTickets(
  db: Kysely<Tables>,
  customers: readonly Person[],
): Promise<string[]> {
  const ids = customers.map(() => randomUUIDv7());
  const requesters = customers.map((customer) => customer.userId);
  await sql`
    insert into tickets (id, title, description, requester_id, last_message_at, updated_at)
    select id, 'Returns', 'A question follows.', requester, now(), now()
    from unnest(${ids}::uuid[], ${requesters}::uuid[]) as ticket (id, requester)`.execute(db);
  return ids;
}
