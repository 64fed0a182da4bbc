import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../src/app.ts';
import { createFactories } from './factories.ts';
import { startTestApp, type TestApp } from './harness.ts';

/** Errors that belong to no single feature; those of the features stand in their tests. */

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ env: { STREAMS_PER_USER_MAX: '1' } });
});
afterAll(() => app.close());

test('a wrong method is told apart from a wrong address, and the right ones are named', async () => {
  const { status, headers, body } = await app.anonymous.delete('/api/v1/tickets');
  expect(status).toBe(405);
  expect(headers['allow']).toBe('GET, HEAD, POST');
  expect(body).toMatchObject({ code: 'method-not-allowed', title: 'Method Not Allowed' });
  expect(await app.anonymous.delete('/api/v1/nowhere')).toMatchObject({
    status: 404,
    body: { code: 'not-found' },
  });
});

test('a malformed address is a problem document too', async () => {
  const { status, headers, body } = await app.anonymous.get('/api/v1/articles/%zz');
  expect(status).toBe(400);
  expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({ code: 'invalid-request', retryable: false });
  expect(headers['x-request-id']).toBe(body.request_id);
});

test('a body that is compressed is refused, and said how to send it', async () => {
  const headers = { 'content-encoding': 'gzip' };
  const reply = await app.anonymous.post('/api/v1/auth/login', {}, headers);
  expect(reply).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } });
  expect(reply.headers['accept-encoding']).toBe('identity');
  const asItIs = { 'content-encoding': 'Identity' };
  expect((await app.anonymous.post('/api/v1/auth/login', {}, asItIs)).status).toBe(422);
});

test('OPTIONS without a preflight is answered like one', async () => {
  const { statusCode, body } = await app.app.inject({ method: 'OPTIONS', url: '/api/v1/tickets' });
  expect([statusCode, body]).toEqual([204, '']);
});

test.each(['/health/live', '/api/v1/nowhere', '/api/v1/me', '/api/v1/articles/%zz'])(
  'browsers are told what they may do with the reply of %s',
  async (path) => {
    const { headers } = await app.anonymous.get(path);
    expect(headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'self'"),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
    expect(headers).not.toHaveProperty('strict-transport-security');
  },
);

test('an answer that is being written is not begun again', async () => {
  const make = createFactories(app);
  const customer = await app.as('customer');
  const id = await make.ticket(customer);
  await make.answer(id, 'streaming');
  expect(await customer.post(`/api/v1/tickets/${id}/answers`)).toMatchObject({
    status: 409,
    body: { code: 'answer-live' },
  });
});

test('a stream too many is refused, with when to come again', async () => {
  const make = createFactories(app);
  const customer = await app.as('customer');
  const id = await make.ticket(customer);
  const path = `/api/v1/answers/${await make.answer(id, 'streaming')}/events`;
  const base = await app.listen();
  const leaving = new AbortController();
  const headers = { authorization: `Bearer ${customer.token}` };
  const first = await fetch(base + path, { headers, signal: leaving.signal });
  expect(first.status).toBe(200);
  const second = await customer.get(path);
  expect(second).toMatchObject({
    status: 429,
    body: { code: 'too-many-streams', retryable: true },
  });
  expect(Number(second.headers['retry-after'])).toBeGreaterThan(0);
  leaving.abort();
});

test('a surprise is a 500 that tells nothing but its request id', async () => {
  const server = await createApp(app.config, app.container, pino({ level: 'silent' }));
  server.get('/bug', { config: { policy: 'public' } }, () => {
    throw new Error('select password_hash from users');
  });
  const headers = { 'x-request-id': 'trace-me' };
  const reply = await server.inject({ url: '/bug', headers });
  await server.close();
  expect(reply.statusCode).toBe(500);
  expect(reply.headers['x-request-id']).toBe('trace-me');
  expect(reply.json()).toMatchObject({ code: 'internal-error', request_id: 'trace-me' });
  expect(reply.body).not.toContain('password_hash');
});
