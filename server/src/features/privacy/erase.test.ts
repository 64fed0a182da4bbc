import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFactories } from '../../../test/factories.ts';
import { startTestApp, until, type TestClient } from '../../../test/harness.ts';
import type { Json } from '../../../test/reply.ts';
import { startWebhookReceiver } from '../../../test/webhook-receiver.ts';

const receiver = await startWebhookReceiver();
const env = { WEBHOOK_ALLOW: receiver.host, WEBHOOK_RETRY_SCHEDULE: '0,1000' };
/** Erases when a test says so. */
const app = await startTestApp({ env });
const make = createFactories(app);
let agent: TestClient;
let admin: TestClient;
beforeAll(async () => {
  agent = await app.as('agent');
  admin = await app.as('admin');
});
afterAll(async () => {
  await app.close();
  await receiver.close();
});

const forEver = new AbortController().signal;
const work = ({ user }: TestClient, signal = forEver): Promise<void> =>
  app.container.erasing.erasePerson({ userId: user.id }, { signal });
const request = ({ user }: TestClient): Promise<Json> =>
  admin.post(`/api/v1/users/${user.id}/erase`);

const rowOf = ({ user }: TestClient) =>
  app.db.selectFrom('users').selectAll().where('id', '=', user.id).executeTakeFirstOrThrow();
const jobsOf = async ({ user }: TestClient): Promise<{ again: boolean | null }[]> => {
  const { rows } = await sql<{ again: boolean | null }>`
    select (data->>'again')::boolean as again from pgboss.job
    where name = 'privacy.erase' and data->>'userId' = ${user.id} order by created_on`.execute(
    app.db,
  );
  return rows;
};

/** A ticket with so many messages and events. */
async function longTicket(of: TestClient, count: number): Promise<string> {
  const id = await make.ticket(of);
  await sql`insert into messages (id, ticket_id, seq, author_type, author_id, content)
    select gen_random_uuid(), ${id}, n, 'customer', ${of.user.id}, 'Message ' || n
    from generate_series(2, ${count}::int) as n`.execute(app.db);
  await sql`insert into events (id, type, actor_type, actor_id, ticket_id, subject_id, sequence, data)
    select gen_random_uuid(), 'ticket.updated', 'customer', ${of.user.id}, ${id}, ${id}, n,
      '{"title": "A title of mine"}'
    from generate_series(3, ${count}::int) as n`.execute(app.db);
  await sql`update tickets set last_seq = ${count}, last_event = ${count}
    where id = ${id}`.execute(app.db);
  return id;
}

const left = async (of: TestClient): Promise<number> => {
  const { rows } = await sql<{ count: number }>`select (
    (select count(*) from messages join tickets on tickets.id = ticket_id
      where requester_id = ${of.user.id} and content <> '[deleted]')
    + (select count(*) from events join tickets on tickets.id = ticket_id
      where requester_id = ${of.user.id} and data->>'title' <> '[deleted]'))::int as count`.execute(
    app.db,
  );
  return rows[0]?.count ?? 0;
};

test('an account that is to be erased ends at once, and stays ended', async () => {
  const customer = await app.as('customer');
  expect((await request(customer)).status).toBe(202);
  expect((await customer.get('/api/v1/me')).status).toBe(401);
  const login = { email: customer.user.email, password: 'correct horse battery' };
  expect((await app.anonymous.post('/api/v1/auth/login', login)).status).toBe(401);
  const url = `/api/v1/users/${customer.user.id}`;
  const enabled = await admin.patch(url, { disabled: false });
  expect(enabled).toMatchObject({ status: 409, body: { code: 'invalid-state' } });
  expect(await rowOf(customer)).toMatchObject({ erased_at: null });
  await work(customer);
  expect((await admin.patch(url, { name: 'Back' })).status).toBe(409);
  expect(await rowOf(customer)).toMatchObject({
    name: 'Deleted user',
    password_hash: null,
    erased_at: expect.any(Date),
  });
});

test('tickets stay with what they count for, and without content', async () => {
  const customer = await app.as('customer');
  const id = await make.ticket(customer, { priority: 'high', assignee_id: agent.user.id });
  await agent.post(`/api/v1/tickets/${id}/messages`, { content: 'Dear Robin, thirty days.' });
  const { body: before } = await agent.get(`/api/v1/tickets/${id}`);
  await request(customer);
  await work(customer);
  const { body: after } = await agent.get(`/api/v1/tickets/${id}`);
  expect(after).toMatchObject({
    number: before.number,
    title: '[deleted]',
    description: '[deleted]',
    status: 'closed',
    priority: 'high',
    assistant: 'off',
    assignee: { id: agent.user.id },
    requester: { id: customer.user.id, name: 'Deleted user' },
    created_at: before.created_at,
    updated_at: before.updated_at,
  });
  expect(after.messages.map(({ content }: Json) => content)).toEqual(['[deleted]', '[deleted]']);
  const reply = await agent.post(`/api/v1/tickets/${id}/messages`, { content: 'More of Robin.' });
  expect(reply).toMatchObject({ status: 409, body: { code: 'ticket-closed' } });
});

test('what is known of others stays as it is', async () => {
  const customer = await app.as('customer');
  const other = await app.as('customer');
  await make.ticket(customer);
  const id = await make.ticket(other);
  const { body: before } = await agent.get(`/api/v1/tickets/${id}`);
  await request(customer);
  await work(customer);
  expect((await agent.get(`/api/v1/tickets/${id}`)).body).toEqual(before);
  expect((await other.get('/api/v1/me')).status).toBe(200);
});

test('a live answer ends, and its process writes nothing more', async () => {
  const customer = await app.as('customer');
  const id = await make.ticket(customer);
  const answerId = await make.answer(id, 'streaming');
  await request(customer);
  await work(customer);
  expect((await agent.get(`/api/v1/answers/${answerId}`)).body).toMatchObject({
    state: 'cancelled',
    text: '',
  });
  const { body } = await agent.get(`/api/v1/tickets/${id}/timeline?sort=-created_at`);
  expect(body.data.map(({ type }: Json) => type).slice(0, 2)).toEqual([
    'ticket.status_changed',
    'answer.cancelled',
  ]);
});

test('an erase that is broken off goes on where it stopped, and ends once', async () => {
  const customer = await app.as('customer');
  for (let n = 0; n < 3; n += 1) await longTicket(customer, 1_200);
  await request(customer);
  const stop = new AbortController();
  let seen = 0;
  const erasing = app.container.erasing.erasePerson(
    { userId: customer.user.id },
    {
      signal: {
        throwIfAborted() {
          if ((seen += 1) > 6) stop.abort();
          stop.signal.throwIfAborted();
        },
      } as AbortSignal,
    },
  );
  await expect(erasing).rejects.toThrow();
  const rest = await left(customer);
  expect(rest).toBeGreaterThan(0);
  expect(rest).toBeLessThan(7_000);
  expect(await rowOf(customer)).toMatchObject({ erased_at: null });
  await work(customer);
  await work(customer);
  expect(await left(customer)).toBe(0);
  const ends = app.db.selectFrom('events').select('id').where('type', '=', 'user.erased');
  expect(await ends.where('subject_id', '=', customer.user.id).execute()).toHaveLength(1);
});

test('no statement of an erase of very many rows takes long', async () => {
  const customer = await app.as('customer');
  await longTicket(customer, 20_000);
  await sql`insert into sessions (id, user_id, token_hash, rotation_key, expires_at)
    select gen_random_uuid(), ${customer.user.id}, '', '', now() from generate_series(1, 3000)`.execute(
    app.db,
  );
  await request(customer);
  const other = await app.as('customer');
  const erasing = work(customer);
  let done = false;
  void erasing.finally(() => (done = true));
  const waits: number[] = [];
  while (!done) {
    const from = performance.now();
    expect((await other.patch('/api/v1/me', { name: `Name ${waits.length}` })).status).toBe(200);
    waits.push(performance.now() - from);
  }
  await erasing;
  expect(await left(customer)).toBe(0);
  expect(waits.length).toBeGreaterThan(3);
  expect(Math.max(...waits)).toBeLessThan(2_500);
});

test('an erase looks once more later, for what was on its way', async () => {
  const customer = await app.as('customer');
  const id = await make.ticket(customer);
  await request(customer);
  await work(customer);
  expect(await jobsOf(customer)).toEqual([{ again: null }, { again: true }]);
  await sql`insert into messages (id, ticket_id, seq, author_type, content)
    values (gen_random_uuid(), ${id}, 2, 'customer', 'Late.')`.execute(app.db);
  await sql`update tickets set last_seq = 2 where id = ${id}`.execute(app.db);
  const job = { userId: customer.user.id, again: true };
  await app.container.erasing.erasePerson(job, { signal: forEver });
  expect(await left(customer)).toBe(0);
  expect(await jobsOf(customer)).toHaveLength(2);
});

test('what webhooks have not been sent yet carries no content afterwards', async () => {
  const customer = await app.as('customer');
  receiver.reply = (_received, response) => void response.writeHead(503).end('no');
  const webhook = await admin.post('/api/v1/webhooks', { url: receiver.url, events: ['*'] });
  const path = `/api/v1/webhooks/${webhook.body.id}`;
  const id = await make.ticket(customer, { title: 'The secret of Robin' });
  await agent.patch(`/api/v1/tickets/${id}`, { title: 'Another secret of Robin' });
  const waiting = await until('deliveries', async () => {
    const { body } = await admin.get(`${path}/deliveries?state=pending&limit=100`);
    return body.data.length >= 3 && body.data;
  });
  await request(customer);
  await work(customer);
  for (const delivery of waiting) {
    const { body } = await admin.get(`${path}/deliveries/${delivery.id}`);
    expect(body.request.body).not.toMatch(/secret|shoes/i);
  }
  await admin.delete(path);
});

test('of a member of the team the replies stay, under no name', async () => {
  const leaving = await app.as('agent');
  const customer = await app.as('customer');
  const id = await make.ticket(customer);
  await leaving.post(`/api/v1/tickets/${id}/messages`, { content: 'Thirty days.' });
  await request(leaving);
  await work(leaving);
  const { body } = await agent.get(`/api/v1/tickets/${id}`);
  expect(body.messages.at(-1)).toMatchObject({
    content: 'Thirty days.',
    author: { type: 'agent', id: leaving.user.id, name: 'Deleted user' },
  });
  const timeline = await agent.get(`/api/v1/tickets/${id}/timeline`);
  const audit = await admin.get(`/api/v1/audit?actor=${leaving.user.id}&limit=100`);
  const text = JSON.stringify([body, timeline.body, audit.body]);
  expect(audit.body.data.length).toBeGreaterThan(0);
  expect(text).not.toContain(leaving.user.email);
  for (const { actor } of audit.body.data) expect(actor.name).toBe('Deleted user');
});

test('the last admin is not erased, by nobody', async () => {
  const alone = await startTestApp();
  try {
    const last = await alone.as('admin');
    for (const reply of [
      await last.post(`/api/v1/users/${last.user.id}/erase`),
      await last.delete('/api/v1/me'),
    ]) {
      expect(reply).toMatchObject({ status: 409, body: { code: 'last-admin' } });
    }
    expect((await last.get('/api/v1/me')).status).toBe(200);
  } finally {
    await alone.close();
  }
});

test('a second request to erase the same person does no harm, and takes what is left', async () => {
  const customer = await app.as('customer');
  await request(customer);
  await work(customer);
  const { version } = await rowOf(customer);
  expect((await request(customer)).status).toBe(202);
  expect(await rowOf(customer)).toMatchObject({ version });
  expect(await jobsOf(customer)).toHaveLength(3);
});
