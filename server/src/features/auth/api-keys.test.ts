import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFactories, factoriesEnv, unknownId } from '../../../test/factories.ts';
import { startTestApp, until, type TestApp, type TestClient } from '../../../test/harness.ts';

/** What keys may do, operation by operation, is in server/test/authorization.test.ts. */

const url = '/api/v1/api-keys';
const env = { ...factoriesEnv, STREAM_RECHECK_MS: '100' };

let app: Awaited<ReturnType<typeof startTestApp>>;
let other: TestApp;
let make: ReturnType<typeof createFactories>;
let admin: TestClient;
beforeAll(async () => {
  app = await startTestApp({ env });
  other = await startTestApp({ env, sharing: app.testDatabase });
  make = createFactories(app);
  admin = await app.as('admin');
});
afterAll(async () => {
  await other.close();
  await app.close();
});

async function makeKey(change: object = {}) {
  const body = { name: 'Shop integration', scopes: ['tickets:write', 'users:write'], ...change };
  const reply = await admin.post(url, body);
  expect(reply.status, JSON.stringify(reply.body)).toBe(201);
  const { id, token } = reply.body as { id: string; token: string };
  return { id, token, bearer: app.bearing(token), key: reply.body };
}

const listed = async (id: string) => {
  const { body } = await admin.get(`${url}?limit=100`);
  return (body.data as { id: string; last_used_at: string | null }[]).find((key) => key.id === id);
};

describe('an API key', () => {
  test('is shown once with its token, and lies nowhere as it is', async () => {
    const { id, token, key } = await makeKey({ expires_at: '2100-01-01T00:00:00Z' });
    expect(token).toMatch(/^sa_\w{38}$/);
    expect(key).toMatchObject({
      name: 'Shop integration',
      prefix: token.slice(0, 8),
      role: 'agent',
      scopes: ['tickets:write', 'users:write'],
      created_by: { id: admin.user.id, name: admin.user.name },
      expires_at: '2100-01-01T00:00:00.000Z',
      last_used_at: null,
    });
    const { token: _token, ...rest } = key;
    expect(await listed(id)).toEqual(rest);
    const tables = ['api_keys', 'users', 'events', 'idempotency_keys'] as const;
    for (const table of tables) {
      const rows = await app.db.selectFrom(table).selectAll().execute();
      expect(JSON.stringify(rows)).not.toContain(token.slice(8));
    }
  });

  test('is the same one for a repeated request', async () => {
    const headers = { 'idempotency-key': 'once' };
    const body = { name: 'Repeated', scopes: ['tickets:read'] };
    const first = await admin.post(url, body, headers);
    const again = await admin.post(url, body, headers);
    expect(again).toMatchObject({ status: 201, headers: { 'idempotent-replayed': 'true' } });
    expect(again.body).toEqual(first.body);
    const rows = await app.db.selectFrom('idempotency_keys').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(String(first.body.token));
  });

  test.each([
    ['no scope', { scopes: [] }, '/scopes'],
    ['a scope that there is not', { scopes: ['tickets:delete'] }, '/scopes/0'],
    ['the role of a customer', { role: 'customer' }, '/role'],
    ['an end that is over', { expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
    ['a name of two lines', { name: 'a\nb' }, '/name'],
  ])('with %s is refused', async (_what, change, pointer) => {
    const reply = await admin.post(url, { name: 'Bad', scopes: ['tickets:read'], ...change });
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer }] } });
  });

  test('acts under its own name, and the audit log says what it did and who made it', async () => {
    const { id, bearer } = await makeKey({ name: 'Phone system' });
    const customer = await app.as('customer');
    const opened = await bearer.post('/api/v1/tickets', {
      title: 'Called about a parcel',
      description: 'It is late.',
      requester_id: customer.user.id,
    });
    expect(opened.status).toBe(201);
    const timeline = await customer.get(`/api/v1/tickets/${opened.body.id}/timeline`);
    const by = { type: 'agent', id, name: 'Phone system' };
    expect(timeline.body.data[0]).toMatchObject({ type: 'ticket.created', actor: by });
    await admin.delete(`${url}/${id}`);
    const made = await admin.get(`/api/v1/audit?subject=${id}`);
    expect(made.body.data).toMatchObject([
      { type: 'api_key.revoked', actor: { id: admin.user.id } },
      {
        type: 'api_key.created',
        actor: { id: admin.user.id },
        object: { name: 'Phone system', role: 'agent' },
      },
    ]);
    const done = await admin.get(`/api/v1/audit?actor=${id}`);
    expect(done.body.data).toContainEqual(expect.objectContaining({ actor: by }));
  });

  test('is no user: it is not listed, read, changed, invited, erased or assigned a password', async () => {
    const { id } = await makeKey();
    const users = await admin.get('/api/v1/users?limit=100');
    expect(JSON.stringify(users.body)).not.toContain(id);
    const one = `/api/v1/users/${id}`;
    expect((await admin.get(one)).status).toBe(404);
    expect((await admin.patch(one, { role: 'admin' })).status).toBe(404);
    expect((await admin.post(`${one}/invitation`)).status).toBe(404);
    expect((await admin.post(`${one}/erase`)).status).toBe(404);
    const { email } = await app.db
      .selectFrom('users')
      .select('email')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(await app.container.accountTokens.give(unknownId, id, 'password-reset')).toBeUndefined();
    const signUp = { email, name: 'Mallory', password: 'four random words' };
    expect((await app.anonymous.post('/api/v1/auth/signup', signUp)).status).toBe(422);
  });

  test('notes its use, at most once a minute', async () => {
    const { id, bearer } = await makeKey();
    const use = async (laterMs: number) => {
      app.clock.advance(laterMs);
      expect((await bearer.get('/api/v1/tickets')).status).toBe(200);
      return (await listed(id))?.last_used_at;
    };
    const first = await use(0);
    expect(first).not.toBeNull();
    expect(await use(30_000)).toBe(first);
    expect(await use(31_000)).not.toBe(first);
  });

  test('makes and changes customers, and nobody of the team', async () => {
    const { bearer } = await makeKey({ role: 'admin' });
    const person = { email: 'new@example.com', name: 'New', password: 'four random words' };
    const post = (role: string) => bearer.post('/api/v1/users', { ...person, role });
    expect((await post('admin')).status).toBe(403);
    expect((await post('agent')).status).toBe(403);
    const made = await post('customer');
    expect(made.status).toBe(201);
    const patch = (id: string, change: object) => bearer.patch(`/api/v1/users/${id}`, change);
    expect((await patch(made.body.id as string, { name: 'Newer' })).status).toBe(200);
    expect((await patch(made.body.id as string, { role: 'admin' })).status).toBe(403);
    expect((await patch(admin.user.id, { name: 'Mallory' })).status).toBe(403);
    expect((await patch(admin.user.id, { disabled: true })).status).toBe(403);
    const { id } = await make.invited();
    expect((await bearer.post(`/api/v1/users/${id}/invitation`)).status).toBe(403);
  });

  test('has keys of requests of its own', async () => {
    const [one, another] = [await makeKey(), await makeKey()];
    const body = { title: 'Once each', description: 'By two programs.' };
    const headers = { 'idempotency-key': 'same' };
    const first = await one.bearer.post('/api/v1/tickets', body, headers);
    const second = await another.bearer.post('/api/v1/tickets', body, headers);
    expect(second.body.id).not.toBe(first.body.id);
    const again = await one.bearer.post('/api/v1/tickets', body, headers);
    expect(again.body.id).toBe(first.body.id);
  });
});

describe('a key that is revoked', () => {
  test('is refused at once here, and within a second on another instance', async () => {
    const { id, token, bearer } = await makeKey();
    const elsewhere = other.bearing(token);
    expect((await bearer.get('/api/v1/tickets')).status).toBe(200);
    expect((await elsewhere.get('/api/v1/tickets')).status).toBe(200);
    expect((await admin.delete(`${url}/${id}`)).status).toBe(204);
    expect((await bearer.get('/api/v1/tickets')).status).toBe(401);
    const isRefused = async () => (await elsewhere.get('/api/v1/tickets')).status === 401;
    await until('the other instance to refuse it', isRefused, 1_000);
    expect(await listed(id)).toBeUndefined();
    expect((await admin.delete(`${url}/${id}`)).status).toBe(404);
  });

  test('ends its streams', async () => {
    const { id, token } = await makeKey({ scopes: ['events:read'] });
    const base = await other.listen();
    const headers = { authorization: `Bearer ${token}` };
    const stream = await fetch(`${base}/api/v1/events/stream`, { headers });
    expect(stream.status).toBe(200);
    await admin.delete(`${url}/${id}`);
    // It ends, or this test does not.
    expect(await stream.text()).toContain('hello');
  }, 5_000);
});

test('a key is refused from the moment that it expires', async () => {
  const expiresAt = new Date(app.clock.now().getTime() + 60_000);
  const { bearer } = await makeKey({ expires_at: expiresAt.toISOString() });
  expect((await bearer.get('/api/v1/tickets')).status).toBe(200);
  app.clock.advance(60_000);
  expect((await bearer.get('/api/v1/tickets')).status).toBe(401);
});

test('limits count each key for itself', async () => {
  const limited = await startTestApp({
    env: { READS_PER_MINUTE_MAX: '2' },
    sharing: app.testDatabase,
  });
  try {
    const keys = [await makeKey(), await makeKey()].map(({ token }) => limited.bearing(token));
    const statuses = [];
    for (const key of [keys[0], keys[0], keys[0], keys[1]]) {
      statuses.push((await key?.get('/api/v1/tickets'))?.status);
    }
    expect(statuses).toEqual([200, 200, 429, 200]);
  } finally {
    await limited.close();
  }
});
