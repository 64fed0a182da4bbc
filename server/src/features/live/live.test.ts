import { connect } from 'node:net';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ask,
  fakeAiEnv,
  settled,
  startWithFakeAi,
  type AppWithFakeAi,
} from '../../../test/asking.ts';
import { createFactories, type Factories } from '../../../test/factories.ts';
import { startTestApp, until, type TestClient } from '../../../test/harness.ts';
import { createRandom } from '../../../test/random.ts';
import { parseStream, readUntil } from '../../../test/read-stream.ts';
import type { Json } from '../../../test/reply.ts';

const env = { STREAM_RECHECK_MS: '100', STREAM_STALL_MS: '400', STREAMS_PER_USER_MAX: '50' };
let app: AppWithFakeAi['app'];
let fake: AppWithFakeAi['fake'];
let second: AppWithFakeAi['app'];
let make: Factories;
let bases: string[];
let customer: TestClient;
let agent: TestClient;

beforeAll(async () => {
  ({ app, fake } = await startWithFakeAi(env));
  second = await startTestApp({
    env: { ...fakeAiEnv(fake), ...env },
    sharing: app.testDatabase,
  });
  make = createFactories(app);
  bases = [await app.listen(), await second.listen()];
  customer = await app.as('customer');
  agent = await app.as('agent');
});
afterAll(async () => {
  await second.close();
  await app.close();
  await fake.close();
});

const streamUrl = (at = 0, query = ''): string => `${bases[at]}/api/v1/events/stream${query}`;

const partsOf = (body: string): Json[] =>
  parseStream(body.slice(0, body.lastIndexOf('\n\n') + 2)).frames.map(({ part }) => part);

const eventsIn = (body: string): Json[] =>
  partsOf(body).flatMap((part) => (part.type === 'event' ? [part.event] : []));

/** Reads in the background until `stop`; `body` is what has come so far. */
function follow(client: TestClient, { at = 0, query = '', lastEventId = '' } = {}) {
  let body = '';
  let isStopped = false;
  const done = readUntil(streamUrl(at, query), {
    token: client.token,
    ...(lastEventId && { lastEventId }),
    stop: (received) => {
      body = received;
      return isStopped;
    },
  });
  return {
    done,
    body: () => body,
    parts: () => partsOf(body),
    /** Resolves when a part like this has come. */
    part: (isIt: (part: Json) => boolean) => until('the part', () => partsOf(body).find(isIt)),
    /** The next frame is the last one. */
    stop: () => void (isStopped = true),
  };
}

const started = async (reader: ReturnType<typeof follow>) => {
  await reader.part(({ type }) => type === 'hello');
  return reader;
};

test('what happens comes at once, in order, on every instance', async () => {
  const readers = await Promise.all([0, 1].map((at) => started(follow(agent, { at }))));
  const id = await make.ticket(customer);
  await agent.patch(`/api/v1/tickets/${id}`, { priority: 'high' });
  for (const reader of readers) {
    await reader.part(({ type, event }) => type === 'event' && event.type === 'ticket.updated');
    const types = eventsIn(reader.body()).filter(({ ticket_id }) => ticket_id === id);
    expect(types.map(({ type, sequence }) => [type, sequence])).toEqual([
      ['ticket.created', 1],
      ['message.created', 2],
      ['ticket.updated', 3],
    ]);
    reader.stop();
  }
  await make.ticket(customer);
});

test('customers see what happens to their own tickets, and nothing else', async () => {
  const other = await app.as('customer');
  const reader = await started(follow(customer));
  const mine = await make.ticket(customer);
  await make.note(mine, agent);
  await make.ticket(other);
  await make.article();
  await agent.patch(`/api/v1/tickets/${mine}`, { tags: ['seen'] });
  await reader.part(({ event }) => event?.type === 'ticket.updated');
  const events = eventsIn(reader.body());
  expect(events.map(({ type }) => type)).toEqual([
    'ticket.created',
    'message.created',
    'ticket.updated',
  ]);
  expect(events.every((event) => event.ticket_id === mine && !('sequence' in event))).toBe(true);
  reader.stop();
  await make.ticket(customer);
});

test('a reader who is cut again and again, also over to the other instance, misses nothing', async () => {
  const random = createRandom(4);
  const count = 400;
  const first = await started(follow(agent));
  const { after } = first.parts()[0];
  first.stop();
  const tickets = await Promise.all(Array.from({ length: 4 }, () => make.ticket(customer)));
  const writing = (async () => {
    for (let at = 0; at < count; at += 1) await make.note(tickets[at % 4] ?? '', agent);
  })();
  const seen: Json[] = [];
  let lastEventId = String(after);
  for (let cut = 0; seen.length < count + 8; cut += 1) {
    const bytes = Math.floor(random() * 40_000) + 500;
    const { body } = await readUntil(streamUrl(cut % (app.databaseUrl ? 2 : 1)), {
      token: agent.token,
      lastEventId,
      stop: (received) =>
        received.length > bytes || seen.length + eventsIn(received).length >= count + 8,
    });
    const whole = body.slice(0, body.lastIndexOf('\n\n') + 2);
    seen.push(...eventsIn(whole).filter(({ ticket_id }) => tickets.includes(ticket_id)));
    lastEventId = parseStream(whole).lastId ?? lastEventId;
  }
  await writing;
  expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
  for (const id of tickets) {
    const sequences = seen.flatMap((event) => (event.ticket_id === id ? [event.sequence] : []));
    expect(sequences).toEqual(sequences.map((_sequence, at) => at + 1));
  }
});

test('a reader who was away for longer than the process remembers reads the rest from the database', async () => {
  const { after } = (await started(follow(agent))).parts()[0];
  const id = await make.ticket(customer);
  await sql`insert into events (id, type, actor_type, subject_id, data)
    select gen_random_uuid(), 'ticket.updated', 'system', ${id}::uuid, '{}' from generate_series(1, 1500)`.execute(
    app.db,
  );
  app.container.relay.wake();
  const reader = follow(agent, { lastEventId: String(after) });
  await until('all of them', () => eventsIn(reader.body()).length >= 1_502);
  expect(new Set(eventsIn(reader.body()).map((event) => event.id)).size).toBe(
    eventsIn(reader.body()).length,
  );
  reader.stop();
  await make.ticket(customer);
});

test.each(['nonsense', '1.5', '-1'])('Last-Event-ID %s is refused', async (lastEventId) => {
  const reply = await agent.get('/api/v1/events/stream', { 'last-event-id': lastEventId });
  expect(reply).toMatchObject({ status: 400, body: { code: 'invalid-last-event-id' } });
});

test('HEAD does not open a stream', async () => {
  const reply = await fetch(streamUrl(), {
    method: 'HEAD',
    headers: { authorization: `Bearer ${agent.token}` },
  });
  expect(reply.status).toBe(405);
});

test('a stream ends with the session, and with the right to it', async () => {
  const leaving = await app.as('agent');
  const demoted = await app.as('agent');
  const admin = await app.as('admin');
  const streams = await Promise.all([leaving, demoted].map((client) => started(follow(client))));
  await leaving.post('/api/v1/auth/logout');
  await admin.patch(`/api/v1/users/${demoted.user.id}`, { role: 'customer' });
  for (const { done } of streams) expect((await done).status).toBe(200);
});

test('a reader that stalls is dropped, and nobody waits for it', async () => {
  const { port } = new URL(bases[0] ?? '');
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  socket.write(
    `GET /api/v1/events/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${agent.token}\r\n\r\n`,
  );
  const cut = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('readable', () => resolve()));
  const reader = await started(follow(agent));
  const id = await make.ticket(customer);
  const data = JSON.stringify({ filler: 'x'.repeat(8_000) });
  let isCut = false;
  void cut.then(() => (isCut = true));
  // More than the kernel takes for a reader who reads nothing.
  for (let round = 0; round < 40 && !isCut; round += 1) {
    await sql`insert into events (id, type, actor_type, subject_id, data)
      select gen_random_uuid(), 'ticket.updated', 'system', ${id}::uuid, ${data}::jsonb from generate_series(1, 100)`.execute(
      app.db,
    );
    app.container.relay.wake();
    await make.positionOf(id);
  }
  const last = await make.ticket(customer);
  await reader.part(({ event }) => event?.ticket_id === last);
  reader.stop();
  // A destroyed socket is noticed by a reader when it reads.
  socket.resume();
  await cut;
  await make.ticket(customer);
});

test('that the assistant begins to write is told to staff and to the customer', async () => {
  const hold = fake.hold();
  const readers = await Promise.all([agent, customer].map((client) => started(follow(client))));
  const { id, answerId } = await ask(customer);
  for (const reader of readers) {
    const part = await reader.part(({ type }) => type === 'assistant');
    expect(part).toEqual({
      type: 'assistant',
      ticket_id: id,
      answer_id: answerId,
      state: 'writing',
    });
    reader.stop();
  }
  hold.release();
  await settled(customer, id);
});

test('who comes back gets what is erased without its content, from every instance', async () => {
  const leaving = await app.as('customer');
  const admin = await app.as('admin');
  // Only one instance has an embedded database.
  const instances = app.testDatabase.url ? [0, 1] : [0];
  // While somebody reads, an instance keeps the newest events.
  const readers = await Promise.all(instances.map((at) => started(follow(admin, { at }))));
  const id = await make.ticket(leaving, { title: 'Shoes do not fit' });
  await Promise.all(readers.map((reader) => reader.part(({ event }) => event?.ticket_id === id)));
  const lastEventId = String((await make.positionOf(id)) - 1);
  await leaving.delete('/api/v1/me');
  const job = { userId: leaving.user.id };
  await app.container.erasing.erasePerson(job, { signal: new AbortController().signal });
  await Promise.all(readers.map((one) => one.part(({ event }) => event?.type === 'user.erased')));
  for (const at of instances) {
    await until('the instance to forget', async () => {
      const late = follow(agent, { at, lastEventId });
      const part = await late.part(({ event }) => event?.ticket_id === id);
      late.stop();
      return part.event.object.title === '[deleted]';
    });
  }
  for (const reader of readers) reader.stop();
});

const be = (client: TestClient, id: string, state: string) =>
  client.put(`/api/v1/tickets/${id}/presence`, { state });

test('staff see who is at a ticket; its customer sees only who types', async () => {
  const id = await make.ticket(customer);
  const colleague = await app.as('agent');
  const [staff, requester] = await Promise.all(
    [colleague, customer].map((client) => started(follow(client))),
  );
  expect((await be(agent, id, 'viewing')).body).toEqual({ people: [] });
  await staff?.part(({ type, people }) => type === 'presence' && people.length === 1);
  const seen = await be(colleague, id, 'viewing');
  expect(seen.body.people).toEqual([
    { user_id: agent.user.id, name: agent.user.name, role: 'agent', state: 'viewing' },
  ]);
  expect((await be(customer, id, 'viewing')).body).toEqual({ people: [] });
  await be(agent, id, 'typing');
  const typing = await requester?.part(({ type }) => type === 'presence');
  expect(typing.people).toEqual([
    { user_id: agent.user.id, name: agent.user.name, role: 'agent', state: 'typing' },
  ]);
  await be(agent, id, 'gone');
  await requester?.part(({ type, people }) => type === 'presence' && people.length === 0);
  const told = requester?.parts().filter(({ type }: Json) => type === 'presence') ?? [];
  expect(told).toHaveLength(2);
  staff?.stop();
  requester?.stop();
  await make.ticket(customer);
});

test('saying again what is known tells nobody; who says nothing any more is gone', async () => {
  const id = await make.ticket(customer);
  const reader = await started(follow(agent));
  const colleague = await app.as('agent');
  await be(colleague, id, 'viewing');
  await be(colleague, id, 'viewing');
  await app.db
    .updateTable('presence')
    .set({ until: new Date(Date.now() - 1_000) })
    .where('ticket_id', '=', id)
    .execute();
  await app.container.presence.expire();
  await reader.part(({ type, people }) => type === 'presence' && people.length === 0);
  const told = reader.parts().filter(({ type }) => type === 'presence');
  expect(told.map(({ people }) => people.length)).toEqual([1, 0]);
  reader.stop();
  await make.ticket(customer);
});

test('nobody is at a ticket that they may not see', async () => {
  const id = await make.ticket(customer);
  const other = await app.as('customer');
  expect((await be(other, id, 'viewing')).status).toBe(404);
});
