import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from './database.ts';
import { createFactories, factoriesEnv } from './factories.ts';
import { startTestApp, testPassword, until, type TestApp, type TestBearer } from './harness.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';

/** What clients hold while `SECRET_KEY` goes from an old key over both to the new one. */

const oldKey = randomBytes(48).toString('base64url');
const newKey = randomBytes(48).toString('base64url');
const receiver = await startWebhookReceiver();
const env = { ...factoriesEnv, WEBHOOK_ALLOW: receiver.host };
const testDatabase = await createTestDatabase();
const newPassword = { password: 'five other random words' };
const headers = { 'idempotency-key': 'before' };
const newWebhook = { url: receiver.url, events: ['article.published'] };

type Held = Record<'accessToken' | 'refreshToken' | 'invitation' | 'apiKey' | 'cursor', string>;
let held: Held;
let webhook: { id: string; secret: string };

beforeAll(() =>
  withKeys([oldKey], async (app) => {
    const make = createFactories(app);
    const admin = await app.as('admin');
    for (let tickets = 0; tickets < 2; tickets += 1) await make.ticket(admin);
    const page = await admin.get('/api/v1/tickets?limit=1');
    held = {
      accessToken: admin.token,
      refreshToken: (await make.session(admin)).refreshToken,
      invitation: await make.accountToken(),
      apiKey: (await make.apiKey(admin)).token,
      cursor: String(page.body.next_cursor),
    };
    const made = await admin.post('/api/v1/webhooks', newWebhook, headers);
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    webhook = made.body as typeof webhook;
  }),
);
afterAll(async () => {
  await testDatabase.drop();
  await receiver.close();
});

async function withKeys(keys: string[], work: (app: TestApp) => Promise<void>): Promise<void> {
  const app = await startTestApp({
    env: { ...env, SECRET_KEY: keys.join(',') },
    sharing: testDatabase,
  });
  try {
    await work(app);
  } finally {
    await app.close();
  }
}

const me = async (client: TestBearer) => (await client.get('/api/v1/me')).status;

/** Sessions and API keys do not hang on the key; returns a fresh access token. */
async function refresh(app: TestApp): Promise<string> {
  const body = { refresh_token: held.refreshToken };
  const reply = await app.anonymous.post('/api/v1/auth/refresh', body);
  expect(reply.status).toBe(200);
  held.refreshToken = String(reply.body.refresh_token);
  const tickets = await app.bearing(held.apiKey).get('/api/v1/tickets');
  expect(tickets.status).toBe(200);
  return String(reply.body.access_token);
}

/** Sends a test event; returns how its first attempt ended. */
async function deliver(client: TestBearer): Promise<{ outcome: string; message: string | null }> {
  const path = `/api/v1/webhooks/${webhook.id}`;
  const { body } = await client.post(`${path}/test`);
  return until('the attempt to end', async () => {
    const delivery = await client.get(`${path}/deliveries/${body.id}`);
    const [attempt] = delivery.body.attempt_log as { outcome: string; message: string | null }[];
    return attempt && attempt.outcome !== 'running' && attempt;
  });
}

async function expectSigned(client: TestBearer): Promise<void> {
  receiver.received.length = 0;
  expect(await deliver(client)).toMatchObject({ outcome: 'succeeded' });
  const [received] = receiver.received;
  const given = received?.headers as Record<string, string>;
  expect(() => new Webhook(webhook.secret).verify(received?.text ?? '', given)).not.toThrow();
}

test('the new key alone, too early, refuses what the old one made, and says why', async () => {
  await withKeys([newKey], async (app) => {
    const refused = await app.bearing(held.accessToken).get('/api/v1/me');
    expect(refused).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    const invitation = `/api/v1/auth/password-resets/${held.invitation}`;
    expect((await app.anonymous.put(invitation, newPassword)).status).toBe(404);
    const admin = app.bearing(await refresh(app));
    expect(await me(admin)).toBe(200);
    expect((await admin.get(`/api/v1/webhooks/${webhook.id}`)).status).toBe(200);
    const { outcome, message } = await deliver(admin);
    expect(outcome).toBe('failed');
    expect(message).toMatch(/SECRET_KEY that is gone/);
    const replay = await admin.post('/api/v1/webhooks', newWebhook, headers);
    expect(replay).toMatchObject({ status: 409, body: { code: 'invalid-state' } });
  });
});

test('the new key behind the old one changes nothing, and knows already what others sign', async () => {
  await withKeys([oldKey, newKey], async (app) => {
    expect(await me(app.bearing(held.accessToken))).toBe(200);
    await expectSigned(app.bearing(held.accessToken));
    await withKeys([newKey, oldKey], async (next) => {
      expect(await me(app.bearing(await refresh(next)))).toBe(200);
    });
  });
});

test('the new key in front of the old one keeps all that clients hold', async () => {
  await withKeys([newKey, oldKey], async (app) => {
    const admin = app.bearing(held.accessToken);
    expect(await me(admin)).toBe(200);
    expect(await me(app.bearing(await refresh(app)))).toBe(200);
    const list = await admin.get(`/api/v1/tickets?limit=1&cursor=${held.cursor}`);
    expect(list.status).toBe(200);
    const replay = await admin.post('/api/v1/webhooks', newWebhook, headers);
    expect(replay.body).toMatchObject({ id: webhook.id, secret: webhook.secret });
    await expectSigned(admin);
    const invitation = `/api/v1/auth/password-resets/${held.invitation}`;
    expect((await app.anonymous.put(invitation, newPassword)).status).toBe(204);
  });
});

test('then the new key alone does: sessions, API keys and secrets of webhooks go on', async () => {
  await withKeys([newKey], async (app) => {
    expect(await me(app.bearing(held.accessToken))).toBe(401);
    const admin = app.bearing(await refresh(app));
    expect(await me(admin)).toBe(200);
    const list = await admin.get(`/api/v1/tickets?limit=1&cursor=${held.cursor}`);
    expect(list.status).toBe(200);
    await expectSigned(admin);
    const signIn = { email: 'nobody@example.com', password: testPassword };
    expect((await app.anonymous.post('/api/v1/auth/login', signIn)).status).toBe(401);
  });
});
