import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fakeAiEnv, settled } from './asking.ts';
import { createFactories, exchangeEnv } from './factories.ts';
import { startFakeAi } from './fake-ai.ts';
import { startFakeSmtp } from './fake-smtp.ts';
import { startTestApp, testPassword, until, type TestClient } from './harness.ts';
import type { Json } from './reply.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';

/*
 * Everything that people send, and everything that others reply, has a mark in it. Then the log is
 * searched for it, at the level that says most.
 */

const mark = 'zanzibar';
const email = `${mark}@mark.example`;
const password = `${mark} battery staple`;

let log = '';
const receiver = await startWebhookReceiver();
const smtp = await startFakeSmtp();
const fake = await startFakeAi();
const app = await startTestApp({
  log: { write: (line) => void (log += line) },
  env: {
    ...exchangeEnv,
    ...fakeAiEnv(fake),
    LOG_LEVEL: 'trace',
    RUN_JOBS: 'true',
    WEBHOOK_ALLOW: receiver.host,
    WEBHOOK_RETRY_SCHEDULE: '0,0',
    SMTP_URL: smtp.url,
    MAIL_FROM: 'support@shop.example',
  },
});
const { anonymous } = app;
const make = createFactories(app);
let admin: TestClient;
let customer: Pick<TestClient, 'get' | 'post' | 'patch' | 'delete' | 'put'>;
const tokens: string[] = [];

beforeAll(async () => {
  await app.publish({ title: `Returns of ${mark}` });
  admin = await app.as('admin');
  tokens.push(admin.token);
  await admin.patch('/api/v1/settings', { answer_threshold: 0 });
});
afterAll(async () => {
  await app.close();
  await Promise.all([smtp.close(), fake.close(), receiver.close()]);
});

const lines = (): Json[] =>
  log
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** The one line of a request, by the id that the request was given. */
const lineOf = (id: string): Promise<Json> =>
  until('the line', () => lines().find((line) => line.msg === 'request' && line.request === id));

/** Whatever stands between quotation marks is searched, also what was written as a list of bytes. */
function expectNothingMarked(): void {
  const bytes = [...log.matchAll(/\[(\d{1,3}(?:,\d{1,3})+)\]/g)].map(([, list = '']) =>
    Buffer.from(list.split(',').map(Number)).toString('latin1'),
  );
  const all = [log, ...bytes].join('\n').toLowerCase();
  expect(all).not.toContain(mark);
  expect(all).not.toContain(encodeURIComponent(testPassword));
  expect(all).not.toContain(testPassword);
  for (const token of tokens) expect(log).not.toContain(token);
  expect(log).not.toMatch(/\beyJ[\w-]+\.|whsec_|Bearer/);
  expect(log).not.toMatch(/[\w.+-]+@[\w-]+\.\w+/);
}

describe('one line for each request', () => {
  test('has its id, method, pattern, status, duration and user, and neither address nor query', async () => {
    const id = randomUUID();
    const ticket = await make.ticket(admin);
    const query = new URLSearchParams({ q: mark });
    await admin.get(`/api/v1/tickets/${ticket}?${query}`, { 'x-request-id': id });
    expect(await lineOf(id)).toEqual({
      level: 30,
      time: expect.any(Number),
      request: id,
      method: 'GET',
      route: '/api/v1/tickets/:id',
      status: 422,
      code: 'validation-failed',
      durationMs: expect.any(Number),
      user: admin.user.id,
      msg: 'request',
    });
    expect(log).not.toContain(ticket);
  });

  test.each([
    ['GET', '/nowhere', { route: 'none', status: 404, code: 'not-found', level: 30 }],
    ['GET', '/api/v1/articles/%zz', { status: 400, code: 'invalid-request', level: 30 }],
    ['GET', '/api/v1/me', { status: 401, code: 'unauthenticated', level: 30 }],
    ['GET', '/health/live', { status: 200, level: 20 }],
  ] as const)('%s %s: %j', async (method, url, expected) => {
    const id = randomUUID();
    await app.app.inject({ method, url, headers: { 'x-request-id': id } });
    expect(await lineOf(id)).toMatchObject(expected);
  });

  test.each(['has space', 'a\tb', 'x'.repeat(65), 'ä', `${email}`])(
    'does not believe the malformed id %j',
    async (given) => {
      const { headers } = await app.app.inject({
        url: '/health/live',
        headers: { 'x-request-id': given },
      });
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
      expect(log).not.toContain(given);
    },
  );

  test('tells of a reader who leaves a stream', async () => {
    const url = await app.listen();
    const id = randomUUID();
    const leaving = new AbortController();
    const headers = { authorization: `Bearer ${admin.token}`, 'x-request-id': id };
    await fetch(`${url}/api/v1/events/stream`, { headers, signal: leaving.signal });
    leaving.abort();
    expect(await lineOf(id)).toMatchObject({ route: '/api/v1/events/stream', hasLeft: true });
  });
});

describe('nothing of what people send is in the log:', () => {
  test('accounts, passwords and tokens', async () => {
    const account = { email, password, name: mark };
    await anonymous.post('/api/v1/auth/signup', account);
    await anonymous.post('/api/v1/auth/signup', account);
    await anonymous.post('/api/v1/auth/login', { email, password: `wrong ${mark}` });
    await app.app.inject({
      method: 'POST',
      url: `/api/v1/auth/login?from=${mark}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ username: email, password: `wrong ${mark}` }).toString(),
    });
    const { body: grant } = await anonymous.post('/api/v1/auth/login', { email, password });
    tokens.push(grant.access_token, grant.refresh_token);
    const authorization = `Bearer ${grant.access_token}`;
    const by =
      (method: 'post' | 'patch' | 'put') =>
      (url: string, body?: unknown, headers: object = {}) =>
        anonymous[method](url, body, { authorization, ...headers });
    customer = {
      get: (url) => anonymous.get(url, { authorization }),
      delete: (url) => anonymous.delete(url, { authorization }),
      post: by('post'),
      patch: by('patch'),
      put: by('put'),
    };
    const { body: next } = await anonymous.post('/api/v1/auth/refresh', {
      refresh_token: grant.refresh_token,
    });
    tokens.push(next.access_token, next.refresh_token);
    await anonymous.post('/api/v1/auth/refresh', { refresh_token: mark.repeat(6) });
    await anonymous.get('/api/v1/me', { authorization: `Bearer ${mark}`, cookie: `a=${mark}` });
    const token = make.hostToken({ sub: mark, email: `host-${email}`, name: mark });
    tokens.push(token);
    await anonymous.post('/api/v1/auth/exchange', { token });
    await customer.put('/api/v1/me/password', { current_password: mark, new_password: password });
    expectNothingMarked();
  });

  test('questions, answers, and a provider that repeats what it was asked', async () => {
    fake.script('answer', ({ error }) =>
      error(400, { message: `Cannot read: Do shoes of ${mark} go back?`, type: mark }),
    );
    for (const description of [`Do shoes of ${mark} go back?`, `May ${email} return shoes?`]) {
      const key = { 'idempotency-key': `${mark}-${description.length}` };
      const question = { title: mark, description };
      const { status, body } = await customer.post('/api/v1/tickets', question, key);
      expect(status).toBe(201);
      await settled(admin, body.id);
      await customer.post(`/api/v1/tickets/${body.id}/messages`, { content: `And ${mark}?` });
      await settled(admin, body.id);
    }
    await customer.get(`/api/v1/articles/search?q=${mark}`);
    expect(fake.requests.length).toBeGreaterThan(1);
    expect(log).toContain('An AI provider failed.');
    expectNothingMarked();
  });

  test('articles, imports and webhooks whose receiver fails', async () => {
    receiver.reply = ({ text }, response) => {
      response.statusCode = 500;
      response.setHeader('x-mark', mark);
      response.end(text);
    };
    const url = `${receiver.url}?token=${mark}`;
    const { body: webhook } = await admin.post('/api/v1/webhooks', { url, events: ['*'] });
    tokens.push(webhook.secret);
    await admin.post('/api/v1/articles', { title: mark, body: mark, status: 'published' });
    const articles = [{ path: `${mark}.md`, content: `# ${mark}\n\n---\ntags: [${mark}` }];
    await admin.post('/api/v1/articles/import', { articles });
    await until('both attempts', () => receiver.received.length >= 2);
    expectNothingMarked();
  });

  test('mails', async () => {
    await anonymous.post('/api/v1/auth/password-resets', { email });
    await until('the mail', () => smtp.mailsTo(email).length > 0);
    expectNothingMarked();
  });

  test.each([
    ['a body that is no JSON', 'application/json', `{"title": ${mark}`],
    ['a field that does not exist', 'application/json', JSON.stringify({ [mark]: mark })],
    ['a NUL', 'application/json', JSON.stringify({ title: `${mark}\u0000` })],
    ['another type', 'text/plain', mark],
    ['too much', 'application/json', JSON.stringify(mark.repeat(200_000))],
  ])('%s', async (_what, type, payload) => {
    const { statusCode } = await app.app.inject({
      method: 'POST',
      url: `/api/v1/tickets?${mark}=${mark}`,
      headers: { 'content-type': type, authorization: `Bearer ${admin.token}` },
      payload,
    });
    expect(statusCode).toBeGreaterThanOrEqual(400);
    expectNothingMarked();
  });

  test('bytes that are no HTTP', async () => {
    const { port } = app.app.server.address() as { port: number };
    const before = lines().length;
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET / HTTP/1.1\r\nauthorization: Bearer ${mark}\r\nno header ${mark}\r\n\r\n`);
    await new Promise((resolve) => socket.once('close', resolve).resume());
    expect(lines().length).toBeGreaterThan(before);
    expectNothingMarked();
  });

  test('a surprise, which is an error with its place', async () => {
    await sql`alter table tickets add constraint provoked check (title <> ${sql.lit(mark)}) not valid`.execute(
      app.db,
    );
    const id = randomUUID();
    const ticket = { title: mark, description: mark };
    const { status } = await customer.post('/api/v1/tickets', ticket, { 'x-request-id': id });
    expect(status).toBe(500);
    expect(await lineOf(id)).toMatchObject({
      level: 50,
      code: 'internal-error',
      error: { code: '23514', stack: expect.stringContaining('tickets.service.ts') },
    });
    await sql`alter table tickets drop constraint provoked`.execute(app.db);
    expectNothingMarked();
  });
});
