import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, until, type TestApp, type TestClient } from '../../../test/harness.ts';
import { createFactories } from '../../../test/factories.ts';
import { createRandom } from '../../../test/random.ts';
import type { Json } from '../../../test/reply.ts';
import { createInProcessBus } from '../../platform/bus/bus.ts';
import { transaction } from '../../platform/database/transaction.ts';
import { createEventsRelay, type EventConsumer } from './events.relay.ts';

const app = await startTestApp();
const make = createFactories(app);
let customer: TestClient;
let agent: TestClient;
let admin: TestClient;

beforeAll(async () => {
  await app.publish();
  customer = await app.as('customer');
  agent = await app.as('agent');
  admin = await app.as('admin');
});
afterAll(() => app.close());

/** Waits until everything that is committed has its position. */
const relayed = (of: TestApp = app) =>
  until('the relay', async () => {
    const waiting = of.db.selectFrom('events').select('id').where('position', 'is', null);
    return (await waiting.execute()).length === 0;
  });

/** The whole feed as the client sees it behind a position, page by page. */
async function readFeed(client: TestClient, after = '0', limit = 7): Promise<Json[]> {
  const events: Json[] = [];
  for (let next = after; ;) {
    const { status, body } = await client.get(`/api/v1/events?after=${next}&limit=${limit}`);
    expect(status).toBe(200);
    events.push(...body.data);
    if (body.data.length === 0) return events;
    next = body.next_after;
  }
}

const endOfFeed = async (client: TestClient): Promise<string> => {
  await relayed();
  const { body } = await client.get('/api/v1/events?after=999999999');
  const events = await app.db
    .selectFrom('events')
    .select(sql<number>`max(position)`.as('max'))
    .executeTakeFirstOrThrow();
  expect(body.data).toEqual([]);
  return String(events.max);
};

test('the feed has every change of a ticket once, with what it was before', async () => {
  const after = await endOfFeed(agent);
  const id = await make.ticket(customer);
  await agent.patch(`/api/v1/tickets/${id}`, { priority: 'high', assignee_id: agent.user.id });
  await agent.post(`/api/v1/tickets/${id}/messages`, { content: 'Done.', status: 'resolved' });
  await relayed();
  const events = await readFeed(agent, after);
  expect(events.map(({ type, previous, sequence }) => ({ type, previous, sequence }))).toEqual([
    { type: 'ticket.created', previous: null, sequence: 1 },
    { type: 'message.created', previous: null, sequence: 2 },
    { type: 'ticket.assigned', previous: { assignee_id: null }, sequence: 3 },
    {
      type: 'ticket.updated',
      previous: { priority: 'normal', assistant: 'active' },
      sequence: 4,
    },
    { type: 'message.created', previous: null, sequence: 5 },
    { type: 'ticket.status_changed', previous: { status: 'open' }, sequence: 6 },
  ]);
  expect(events.at(-1)).toMatchObject({
    actor: { type: 'agent', id: agent.user.id, name: agent.user.name },
    ticket_id: id,
    object: { id, status: 'resolved', priority: 'high', assignee_id: agent.user.id },
  });
});

test('the feed can be filtered by type', async () => {
  const after = await endOfFeed(agent);
  await make.ticket(customer);
  await relayed();
  const { body } = await agent.get(`/api/v1/events?after=${after}&type=message.created`);
  expect(body.data.map(({ type }: Json) => type)).toEqual(['message.created']);
});

test('customers see the events of their own tickets, without notes and without sequence', async () => {
  const other = await app.as('customer');
  const after = await endOfFeed(agent);
  const mine = await make.ticket(customer);
  await make.note(mine, agent);
  await make.ticket(other);
  await app.publish({ title: 'Another article' });
  await relayed();
  const events = await readFeed(customer, after);
  expect(events.map(({ type }) => type)).toEqual(['ticket.created', 'message.created']);
  expect(events.every((event) => event.ticket_id === mine && !('sequence' in event))).toBe(true);
  expect(await readFeed(agent, after)).toHaveLength(6);
});

test('events of accounts of the team are for admins only', async () => {
  const after = await endOfFeed(agent);
  const newcomer = await app.as('agent');
  const visitor = await app.as('customer');
  await relayed();
  const subjects = async (client: TestClient) =>
    (await readFeed(client, after)).map(({ subject_id }) => subject_id);
  expect(await subjects(admin)).toEqual([newcomer.user.id, visitor.user.id]);
  expect(await subjects(agent)).toEqual([visitor.user.id]);
  expect(await subjects(visitor)).toEqual([]);
});

test('the timeline pages through a ticket in both directions', async () => {
  const id = await make.ticket(customer);
  await make.note(id, agent);
  await agent.patch(`/api/v1/tickets/${id}`, { tags: ['returns'] });
  const read = async (client: TestClient, sort: string) => {
    const types: string[] = [];
    for (let cursor = ''; ;) {
      const url = `/api/v1/tickets/${id}/timeline?limit=2&sort=${sort}${cursor}`;
      const { body } = await client.get(url);
      types.push(...body.data.map(({ type }: Json) => type));
      if (body.next_cursor === null) return types;
      cursor = `&cursor=${body.next_cursor}`;
    }
  };
  const all = ['ticket.created', 'message.created', 'message.created', 'ticket.updated'];
  expect(await read(agent, 'created_at')).toEqual(all);
  expect(await read(agent, '-created_at')).toEqual(all.toReversed());
  expect(await read(customer, 'created_at')).toEqual([
    'ticket.created',
    'message.created',
    'ticket.updated',
  ]);
});

test('the audit log has sign-ins, settings and what the team did, newest first', async () => {
  const newcomer = await app.as('agent');
  await newcomer.put('/api/v1/me/password', {
    current_password: 'correct horse battery',
    new_password: 'five other random words',
  });
  const own = await admin.get(`/api/v1/audit?subject=${newcomer.user.id}`);
  expect(own.body.data.map(({ type }: Json) => type)).toEqual([
    'user.password_changed',
    'user.signed_in',
    'user.created',
  ]);
  expect(own.body.data[1].object).toMatchObject({ role: 'agent', ip: '127.0.0.1' });

  const id = await make.ticket(customer);
  await agent.patch(`/api/v1/tickets/${id}`, { priority: 'urgent' });
  await admin.patch('/api/v1/settings', { guidance: 'Be friendly.' });
  const done = await admin.get(`/api/v1/audit?limit=2`);
  expect(done.body.data).toMatchObject([
    { type: 'settings.updated', actor: { id: admin.user.id } },
    { type: 'ticket.updated', actor: { id: agent.user.id }, subject_id: id },
  ]);
  const byAgent = await admin.get(`/api/v1/audit?actor=${agent.user.id}&type=settings.updated`);
  expect(byAgent.body.data).toEqual([]);
  const next = await admin.get(`/api/v1/audit?limit=2&cursor=${done.body.next_cursor}`);
  expect(next.body.data[0].created_at <= done.body.data[1].created_at).toBe(true);
});

test.each([
  ['changed', sql`update events set type = 'ticket.updated'`],
  ['moved', sql`update events set position = position + 1000 where position is not null`],
  ['deleted', sql`delete from events`],
  ['truncated', sql`truncate events cascade`],
])('events cannot be %s', async (_what, statement) => {
  await relayed();
  await expect(statement.execute(app.db)).rejects.toThrow('events are append-only');
});

test('positions follow the commits, whatever the order of the writes', async () => {
  const random = createRandom(20_261_128);
  const pick = <Item>(items: Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const tickets = await Promise.all(Array.from({ length: 5 }, () => make.ticket(customer)));
  await relayed();
  const seen: { position: number; id: string }[] = [];
  const consume: EventConsumer = async (_db, events) => void seen.push(...events);
  const relays = [1, 2, 3].map(() =>
    createEventsRelay({
      db: app.db,
      bus: createInProcessBus(),
      consumers: [consume],
      logger: { error: () => undefined },
    }),
  );
  const after = Number(await endOfFeed(agent));
  await Promise.all(
    Array.from({ length: 60 }, async () => {
      const ticketId = pick(tickets);
      await transaction(app.db, async (db) => {
        await app.container.tickets.lock(db, ticketId);
        await app.container.tickets.appendMessage(
          db,
          { type: 'agent', id: agent.user.id },
          { ticketId, authorType: 'agent', authorId: agent.user.id, content: 'One more.' },
        );
      });
      pick(relays).wake();
    }),
  );
  await relayed();
  await Promise.all(relays.map((relay) => relay.stop()));
  const rows = await app.db
    .selectFrom('events')
    .select(['position', 'ticket_id', 'sequence'])
    .where('position', '>', after)
    .orderBy('position')
    .execute();
  expect(rows.map(({ position }) => position)).toEqual(rows.map((_row, at) => after + 1 + at));
  for (const id of tickets) {
    const sequences = rows.flatMap((row) => (row.ticket_id === id ? [row.sequence ?? 0] : []));
    expect(sequences).toEqual(sequences.toSorted((one, other) => one - other));
  }
  // The instance's own relay took some; nobody took one twice.
  expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
});

test('a position is not used again, whatever is erased', async () => {
  const id = await make.ticket(customer);
  const after = await endOfFeed(agent);
  await transaction(app.db, async (db) => {
    await sql`select set_config('support_assistant.retention', 'on', true)`.execute(db);
    await sql`delete from events where ticket_id = ${id}`.execute(db);
  });
  await make.ticket(customer);
  await relayed();
  const events = await readFeed(agent, after);
  expect(events.map(({ type }) => type)).toEqual(['ticket.created', 'message.created']);
});

test.each(['999999999999999', '2026-99-99T99:99:99.000Z'])(
  'a cursor with %s in it is refused',
  async (value) => {
    const id = await make.ticket(customer);
    const { body } = await agent.get(`/api/v1/tickets/${id}/timeline?limit=1`);
    const parts = JSON.parse(Buffer.from(body.next_cursor, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify([value, ...parts.slice(1)])).toString('base64url');
    const reply = await agent.get(`/api/v1/tickets/${id}/timeline?limit=1&cursor=${forged}`);
    expect(reply).toMatchObject({ status: 422, body: { code: 'invalid-cursor' } });
  },
);

test('an event whose transaction rolls back never was, and nobody is told', async () => {
  const id = await make.ticket(customer);
  const after = await endOfFeed(agent);
  const failing = transaction(app.db, async (db) => {
    await app.container.tickets.lock(db, id);
    await app.container.tickets.appendMessage(
      db,
      { type: 'agent', id: agent.user.id },
      { ticketId: id, authorType: 'agent', authorId: agent.user.id, content: 'Never said.' },
    );
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  await relayed();
  expect(await readFeed(agent, after)).toEqual([]);
});

test('what a consumer cannot take is passed on again, in the same order', async () => {
  await relayed();
  let failures = 2;
  const taken: string[] = [];
  const relay = createEventsRelay({
    db: app.db,
    bus: createInProcessBus(),
    consumers: [
      async (_db, events) => {
        if (failures-- > 0) throw new Error('not now');
        taken.push(...events.map(({ type }) => type));
      },
    ],
    logger: { error: () => undefined },
  });
  // The instance's own relay is kept from it.
  const { relay: own } = app.container;
  await own.stop();
  const id = await make.ticket(customer);
  await until('the events', () => {
    relay.wake();
    return taken.length > 0;
  });
  await relay.stop();
  expect(taken).toEqual(['ticket.created', 'message.created']);
  expect(await make.positionOf(id)).toBeGreaterThan(0);
});
