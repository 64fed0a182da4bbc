import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, settled } from '../../../test/asking.ts';
import { startTestApp, type TestApp, type TestClient } from '../../../test/harness.ts';
import type { Json } from '../../../test/reply.ts';

let app: TestApp;
let customer: TestClient;
let agent: TestClient;
beforeAll(async () => {
  app = await startTestApp();
  await app.publish();
  customer = await app.as('customer');
  agent = await app.as('agent');
});
afterAll(() => app.close());

const open = async (body: object = {}, client = customer) =>
  client.post('/api/v1/tickets', { title: 'Returns', description: 'Shoes?', ...body });

describe('opening a ticket', () => {
  test('stores the description as message 1 and says where the ticket and its answer are', async () => {
    const { status, body, headers } = await open();
    expect(status).toBe(201);
    expect(headers).toMatchObject({ location: `/api/v1/tickets/${body.id}`, etag: '"1"' });
    expect(body.answer.events_url).toBe(`/api/v1/answers/${body.answer.id}/events`);
    const messages = await customer.get(`/api/v1/tickets/${body.id}/messages`);
    expect(messages.body.data[0]).toMatchObject({ seq: 1, content: 'Shoes?' });
  });

  test.each([
    ['an unknown field', { is_ai: true }, '/is_ai'],
    ['a staff field from a customer', { priority: 'urgent' }, '/priority'],
    ['a title of two characters', { title: 'ab' }, '/title'],
    ['a title of spaces', { title: '     ' }, '/title'],
    ['a title that changes direction', { title: 'abc\u202edef' }, '/title'],
    ['a description with U+0000', { description: 'a\u0000b' }, '/description'],
    ['a description of the wrong type', { description: 7 }, '/description'],
    ['an empty description', { description: '' }, '/description'],
  ])('refuses %s with 422', async (_what, body, pointer) => {
    const reply = await open(body);
    expect(reply.status).toBe(422);
    expect(reply.headers['content-type']).toContain('application/problem+json');
    expect(reply.body).toMatchObject({ code: 'validation-failed', retryable: false });
    expect(reply.body.errors[0].pointer).toBe(pointer);
  });

  test('refuses a lone surrogate, __proto__, deep nesting, and what is not JSON', async () => {
    const send = (payload: string, type = 'application/json') =>
      app.app.inject({
        method: 'POST',
        url: '/api/v1/tickets',
        headers: { authorization: `Bearer ${customer.token}`, 'content-type': type },
        payload,
      });
    const lone = await send(String.raw`{"title":"abc","description":"\ud83d"}`);
    expect(lone.statusCode).toBe(422);
    expect((await send('{"__proto__":{},"title":"abc","description":"x"}')).statusCode).toBe(422);
    const deep = await send(`{"title":${'['.repeat(5000)}${']'.repeat(5000)}}`);
    expect(deep.json()).toMatchObject({ status: 400, code: 'invalid-json' });
    expect((await send('{')).json()).toMatchObject({ status: 400, code: 'invalid-json' });
    expect((await send('x', 'text/plain')).json()).toMatchObject({
      status: 415,
      code: 'unsupported-media-type',
    });
    const large = JSON.stringify({ title: 'abc', description: 'x'.repeat(1_100_000) });
    expect((await send(large)).json()).toMatchObject({ status: 413, code: 'body-too-large' });
  });

  test('text is stored as it came, and lengths count characters, not code units', async () => {
    const description = '  👩‍🚀 \r\n\ttrailing  ';
    const { body } = await open({ description, title: '🚀'.repeat(200) });
    const { body: read } = await customer.get(`/api/v1/tickets/${body.id}`);
    expect(read.description).toBe(description);
    expect((await open({ title: '🚀'.repeat(201) })).status).toBe(422);
  });

  test('staff open tickets for customers, and then have them in hand', async () => {
    const { status, body } = await open(
      { requester_id: customer.user.id, priority: 'high', tags: ['vip', 'vip'] },
      agent,
    );
    expect(status).toBe(201);
    expect(body).toMatchObject({
      requester: { id: customer.user.id },
      assistant: 'paused',
      answer: null,
      priority: 'high',
      tags: ['vip'],
    });
    const unknown = await open({ requester_id: agent.user.id.replace(/^.{8}/, '00000000') }, agent);
    expect(unknown).toMatchObject({ status: 422, body: { errors: [{ code: 'unknown-user' }] } });
  });

  test('the same Idempotency-Key has its effect once', async () => {
    const key = { 'idempotency-key': 'open-1' };
    const body = { title: 'Once', description: 'Only once' };
    const replies = await Promise.all(
      Array.from({ length: 5 }, () => customer.post('/api/v1/tickets', body, key)),
    );
    const statuses = replies.map((reply) => reply.status);
    expect(statuses.filter((status) => status !== 201 && status !== 409)).toEqual([]);
    const replay = await customer.post('/api/v1/tickets', body, key);
    expect(replay).toMatchObject({ status: 201, headers: { 'idempotent-replayed': 'true' } });
    const ids = replies.filter((reply) => reply.status === 201).map((reply) => reply.body.id);
    expect(new Set([...ids, replay.body.id]).size).toBe(1);
    const listed = await customer.get('/api/v1/tickets?q=Once');
    expect(listed.body.data).toHaveLength(1);
    const reused = await customer.post('/api/v1/tickets', { ...body, title: 'Other' }, key);
    expect(reused).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
    const bad = await customer.post('/api/v1/tickets', body, { 'idempotency-key': 'a b' });
    expect(bad.status).toBe(422);
  });
});

describe('changing a ticket', () => {
  test('follows the status machine and names the legal moves', async () => {
    const { body: ticket } = await open();
    await settled(customer, ticket.id);
    const url = `/api/v1/tickets/${ticket.id}`;
    const refused = await customer.patch(url, { status: 'closed' });
    expect(refused).toMatchObject({ status: 409, body: { code: 'invalid-state' } });
    expect(refused.body.detail).toContain('resolved');
    expect((await customer.patch(url, { status: 'resolved' })).body.resolved_at).not.toBeNull();
    expect((await customer.put(url, { status: 'open' })).body).toMatchObject({
      status: 'open',
      resolved_at: null,
    });
    await agent.patch(url, { status: 'closed' });
    expect((await agent.patch(url, { status: 'open' })).body.code).toBe('ticket-closed');
    const message = await customer.post(`${url}/messages`, { content: 'Hello?' });
    expect(message).toMatchObject({ status: 409, body: { code: 'ticket-closed' } });
  });

  test('a stale If-Match is refused with the current ETag; without it the last writer wins', async () => {
    const { body: ticket } = await open();
    const url = `/api/v1/tickets/${ticket.id}`;
    const first = await agent.patch(url, { priority: 'high' }, { 'if-match': '"1"' });
    expect(first).toMatchObject({ status: 200, headers: { etag: '"2"' } });
    const stale = await agent.patch(url, { priority: 'low' }, { 'if-match': '"1"' });
    expect(stale).toMatchObject({
      status: 412,
      headers: { etag: '"2"' },
      body: { code: 'version-mismatch' },
    });
    expect((await agent.patch(url, { priority: 'low' })).status).toBe(200);
    expect((await agent.patch(url, { priority: 'low' }, { 'if-match': 'W/"x"' })).status).toBe(412);
  });

  test('assigning to a person silences the assistant and takes the ticket out of the queue', async () => {
    const { id } = await ask(customer, 'I want to talk to a human');
    await settled(customer, id);
    const queue = await agent.get('/api/v1/tickets?handed_off=true');
    expect(queue.body.data.map((ticket: Json) => ticket.id)).toContain(id);
    const assigned = await agent.patch(`/api/v1/tickets/${id}`, { assignee_id: agent.user.id });
    expect(assigned.body).toMatchObject({
      assignee: { id: agent.user.id },
      assistant: 'paused',
      handoff: null,
    });
    const mine = await agent.get('/api/v1/tickets?assignee=me');
    expect(mine.body.data.map((ticket: Json) => ticket.id)).toContain(id);
    const wrong = await agent.patch(`/api/v1/tickets/${id}`, { assignee_id: customer.user.id });
    expect(wrong.status).toBe(422);
  });

  test('two who claim with the same version: one wins, one is told', async () => {
    const other = await app.as('agent');
    const { body: ticket } = await open();
    const url = `/api/v1/tickets/${ticket.id}`;
    const claims = await Promise.all(
      [agent, other].map((client) =>
        client.patch(url, { assignee_id: client.user.id }, { 'if-match': '"1"' }),
      ),
    );
    expect(claims.map((claim) => claim.status).sort()).toEqual([200, 412]);
  });
});

describe('messages', () => {
  test('an internal note is for staff, and leaves the assistant alone', async () => {
    const { id } = await ask(customer);
    await settled(customer, id);
    const url = `/api/v1/tickets/${id}/messages`;
    const note = await agent.post(url, { content: 'Careful here', visibility: 'internal' });
    expect(note.status).toBe(201);
    expect((await agent.get(url)).body.data).toHaveLength(3);
    expect((await customer.get(url)).body.data).toHaveLength(2);
    expect((await customer.get(`/api/v1/tickets/${id}`)).body).toMatchObject({
      assistant: 'active',
      status: 'pending',
    });
    const refused = await customer.post(url, { content: 'x', visibility: 'internal' });
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: '/visibility' }] } });
  });

  test('a reply of staff sets the status it names, and clears the hand-over', async () => {
    const { id } = await ask(customer, 'a human please');
    await settled(customer, id);
    await agent.post(`/api/v1/tickets/${id}/messages`, { content: 'Done.', status: 'resolved' });
    const { body } = await customer.get(`/api/v1/tickets/${id}`);
    expect(body).toMatchObject({ status: 'resolved', handoff: null, assistant: 'paused' });
    await customer.post(`/api/v1/tickets/${id}/messages`, { content: 'Not quite.' });
    expect((await customer.get(`/api/v1/tickets/${id}`)).body.status).toBe('open');
  });

  test('are paged in both directions, and the ticket leads to the older ones', async () => {
    const { id } = await ask(customer, 'a human please');
    await settled(customer, id);
    // With the note of the hand-over these are 58.
    for (let n = 0; n < 55; n += 1) {
      await agent.post(`/api/v1/tickets/${id}/messages`, { content: `Message ${n}` });
    }
    const { body: ticket } = await agent.get(`/api/v1/tickets/${id}`);
    expect(ticket.messages).toHaveLength(50);
    const cursor = encodeURIComponent(ticket.older_messages_cursor);
    const url = `/api/v1/tickets/${id}/messages`;
    const older = await agent.get(`${url}?sort=-seq&cursor=${cursor}`);
    expect(older.body.data.map((message: Json) => message.seq)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    const seen: number[] = [];
    for (let next = ''; ;) {
      const page = await agent.get(`${url}?limit=20${next}`);
      seen.push(...page.body.data.map((message: Json) => message.seq));
      if (!page.body.next_cursor) break;
      next = `&cursor=${encodeURIComponent(page.body.next_cursor)}`;
    }
    expect(seen).toEqual(Array.from({ length: 58 }, (_, at) => at + 1));
  });
});

describe('lists', () => {
  test('show customers their own, staff all, and page without gaps or repeats', async () => {
    const owner = await app.as('customer');
    for (let n = 0; n < 7; n += 1) await open({ title: `Ticket number ${n}` }, owner);
    const seen: string[] = [];
    for (let next = ''; ;) {
      const page = await owner.get(`/api/v1/tickets?limit=3&sort=-created_at${next}`);
      expect(page.status).toBe(200);
      seen.push(...page.body.data.map((ticket: Json) => ticket.title));
      if (!page.body.next_cursor) break;
      next = `&cursor=${encodeURIComponent(page.body.next_cursor)}`;
    }
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((n) => `Ticket number ${n}`));
    expect((await customer.get('/api/v1/tickets?q=Ticket%20number')).body.data).toEqual([]);
    const all = await agent.get(
      `/api/v1/tickets?requester=${owner.user.id}&status=open&status=pending`,
    );
    expect(all.body.data).toHaveLength(7);
  });

  test('a cursor of another list, a made-up one and an unknown parameter are 422', async () => {
    const owner = await app.as('customer');
    for (let n = 0; n < 2; n += 1) await open({}, owner);
    const { body } = await owner.get('/api/v1/tickets?limit=1');
    const cursor = encodeURIComponent(body.next_cursor);
    for (const url of [`?limit=1&status=open&cursor=${cursor}`, '?cursor=bm9uc2Vuc2U']) {
      const reply = await owner.get(`/api/v1/tickets${url}`);
      expect(reply).toMatchObject({ status: 422, body: { code: 'invalid-cursor' } });
    }
    expect((await agent.get(`/api/v1/tickets?limit=1&cursor=${cursor}`)).status).toBe(422);
    expect((await owner.get('/api/v1/tickets?page=2')).status).toBe(422);
    expect((await owner.get('/api/v1/tickets?q=a%00b')).status).toBe(422);
  });

  test('% and _ in a search are themselves', async () => {
    const owner = await app.as('customer');
    await open({ title: '100% wool' }, owner);
    await open({ title: '100 euro' }, owner);
    expect((await owner.get('/api/v1/tickets?q=100%25')).body.data).toHaveLength(1);
  });
});

test('what is not yours, not there, or not an id looks the same', async () => {
  const stranger = await app.as('customer');
  const { body: ticket } = await open();
  const ids = [ticket.id, '0199f3a0-5a10-7c31-9d2e-6c1f3f0b7a11', 'not-an-id'];
  const replies = await Promise.all(ids.map((id) => stranger.get(`/api/v1/tickets/${id}`)));
  const bodies = replies.map(({ status, body: { request_id: _id, ...body } }) => ({
    status,
    body,
  }));
  expect(bodies[0]).toMatchObject({ status: 404, body: { code: 'not-found' } });
  expect(bodies[1]).toEqual(bodies[0]);
  expect(bodies[2]).toEqual(bodies[0]);
});

test('a wrong method is 405 with Allow, a wrong path 404, each with a request id', async () => {
  const wrong = await customer.delete('/api/v1/tickets');
  expect(wrong).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, POST' } });
  const nowhere = await customer.get('/api/v1/nowhere', { 'x-request-id': 'mine-1' });
  expect(nowhere).toMatchObject({ status: 404, body: { request_id: 'mine-1' } });
});

test('everything that happens is recorded, numbered per ticket without holes', async () => {
  const { id } = await ask(customer);
  await settled(customer, id);
  await agent.post(`/api/v1/tickets/${id}/messages`, { content: 'Hello', status: 'resolved' });
  const events = await app.db
    .selectFrom('events')
    .select(['type', 'sequence'])
    .where('ticket_id', '=', id)
    .orderBy('sequence')
    .execute();
  expect(events.map((event) => event.type)).toEqual([
    'ticket.created',
    'message.created',
    'message.created',
    'ticket.status_changed',
    'answer.completed',
    'ticket.updated',
    'message.created',
    'ticket.status_changed',
  ]);
  expect(events.map((event) => event.sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});
