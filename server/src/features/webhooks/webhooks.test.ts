import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ask, settled } from '../../../test/asking.ts';
import { createFactories } from '../../../test/factories.ts';
import { startTestApp, until, type TestClient } from '../../../test/harness.ts';
import { createJudge, type Document } from '../../../test/openapi.ts';
import type { Json } from '../../../test/reply.ts';
import { startWebhookReceiver, type Received } from '../../../test/webhook-receiver.ts';
import { publicEventTypes } from '../events/event-types.ts';

const receiver = await startWebhookReceiver();
const app = await startTestApp({
  env: {
    RUN_JOBS: 'true',
    WEBHOOK_ALLOW: receiver.host,
    WEBHOOK_RETRY_SCHEDULE: '0,0.02,0.02,0.02',
    WEBHOOK_TIMEOUT_MS: '2000',
  },
});
const make = createFactories(app);
let customer: TestClient;
let agent: TestClient;
let admin: TestClient;

beforeAll(async () => {
  customer = await app.as('customer');
  agent = await app.as('agent');
  admin = await app.as('admin');
});
afterAll(async () => {
  await app.close();
  await receiver.close();
});
beforeEach(async () => {
  const { body } = await admin.get('/api/v1/webhooks?limit=100');
  for (const { id } of body.data) await admin.delete(`/api/v1/webhooks/${id}`);
  receiver.received.length = 0;
  receiver.reply = (_received, response) => void response.end('ok');
});

async function subscribe(events: string[], change: object = {}): Promise<Json> {
  const input = { url: receiver.url, events, ...change };
  const { status, body } = await admin.post('/api/v1/webhooks', input);
  expect(status, JSON.stringify(body)).toBe(201);
  return { ...body, path: `/api/v1/webhooks/${body.id}` };
}

const received = (count: number): Promise<Received[]> =>
  until(`${count} requests`, () => receiver.received.length >= count && receiver.received);

const deliveriesOf = async (path: string): Promise<Json[]> =>
  (await admin.get(`${path}/deliveries?limit=100`)).body.data;

/** Waits until nothing of the webhook is pending. */
const settledOf = (path: string): Promise<Json[]> =>
  until('the deliveries to settle', async () => {
    const all = await deliveriesOf(path);
    return all.length > 0 && all.every(({ state }) => state !== 'pending') && all;
  });

const detailOf = async (path: string, id: string): Promise<Json> =>
  (await admin.get(`${path}/deliveries/${id}`)).body;

test('a change of status arrives, signed as the library of the standard demands', async () => {
  const { secret } = await subscribe(['ticket.status_changed']);
  const id = await make.ticket(customer);
  await agent.patch(`/api/v1/tickets/${id}`, { status: 'resolved' });
  const [request] = await received(1);
  const { headers = {}, text = '', body } = request ?? {};
  const verified = new Webhook(secret).verify(text, headers as Record<string, string>);
  expect(verified).toEqual(body);
  expect(body).toMatchObject({
    type: 'ticket.status_changed',
    timestamp: expect.stringMatching(/Z$/),
    sequence: 3,
    data: {
      object: { id, status: 'resolved', requester_id: customer.user.id },
      previous: { status: 'open' },
      actor: { type: 'agent', id: agent.user.id },
    },
  });
  expect(headers['content-type']).toBe('application/json');
  const other = new Webhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  expect(() => other.verify(text, headers as Record<string, string>)).toThrow('No matching');
});

test('what is sent is what the document says, of every type that there is', async () => {
  const judge = createJudge(app.app.swagger() as unknown as Document);
  const { path } = await subscribe(['*']);
  await app.publish();
  const newcomer = await app.signUp();
  const asked = await ask(newcomer);
  await settled(newcomer, asked.id);
  await newcomer.put(`/api/v1/answers/${asked.answerId}/feedback`, { helpful: true });
  const person = await ask(newcomer, 'I want to talk to a human');
  await settled(newcomer, person.id);
  const taken = await make.ticket(newcomer);
  await make.answer(taken, 'streaming');
  await agent.patch(`/api/v1/tickets/${taken}`, { assignee_id: agent.user.id, tags: ['a'] });
  const stopped = await make.answer(await make.ticket(newcomer), 'streaming');
  await newcomer.post(`/api/v1/answers/${stopped}/cancel`);
  await admin.post(`${path}/test`);
  await (await app.signUp()).delete('/api/v1/me');
  const types = (): string[] => [...new Set(receiver.received.map(({ body }) => body.type))];
  const all = [...publicEventTypes, 'webhook.test'].sort();
  await until('every type', () => types().length === all.length);
  expect(types().sort()).toEqual(all);
  for (const { body } of receiver.received) {
    const at = `/webhooks/${body.type}/post/requestBody/content/application~1json/schema`;
    expect(judge(at, body), body.type).toBeUndefined();
  }
});

test('a webhook gets the families and types that it subscribes to, and no others', async () => {
  await subscribe(['message.*', 'ticket.created']);
  const id = await make.ticket(customer);
  await agent.patch(`/api/v1/tickets/${id}`, { priority: 'high' });
  await make.note(id, agent);
  const types = (await received(3)).map(({ body }) => body.type).sort();
  expect(types).toEqual(['message.created', 'message.created', 'ticket.created']);
});

test('a message comes with its text, cut where the body would pass 20 kB', async () => {
  await subscribe(['message.created']);
  const id = await make.ticket(customer);
  const long = '\u{1F600}"'.repeat(9_000);
  await agent.post(`/api/v1/tickets/${id}/messages`, { content: long });
  const all = await received(2);
  const texts = all.map(({ body }) => body.data.object);
  expect(texts).toContainEqual(
    expect.objectContaining({ content: 'How long may I return shoes?', content_truncated: false }),
  );
  const cut = texts.find(({ content_truncated }) => content_truncated);
  expect(long.startsWith(cut.content)).toBe(true);
  expect(cut.content.isWellFormed()).toBe(true);
  for (const { text } of all) expect(Buffer.byteLength(text)).toBeLessThan(20_000);
});

test('a failure is tried again with the same id and body, until it is taken', async () => {
  let failures = 2;
  receiver.reply = (_received, response) => {
    response.statusCode = failures-- > 0 ? 500 : 204;
    response.end(failures >= 0 ? 'not now' : '');
  };
  const { path } = await subscribe(['ticket.created']);
  await make.ticket(customer);
  const requests = await received(3);
  expect(new Set(requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(new Set(requests.map(({ text }) => text)).size).toBe(1);
  const [delivery] = await settledOf(path);
  expect(delivery).toMatchObject({ state: 'succeeded', attempts: 3, last_status: 204 });
  const detail = await detailOf(path, delivery.id);
  expect(detail.request.body).toBe(requests[0]?.text);
  expect(detail.attempt_log).toMatchObject([
    { number: 1, outcome: 'failed', failure: 'status', response: { status: 500, body: 'not now' } },
    { number: 2, outcome: 'failed', response: { status: 500 } },
    { number: 3, outcome: 'succeeded', failure: null, response: { status: 204, body: '' } },
  ]);
});

test('what fails to the end is kept, and can be sent again', async () => {
  receiver.reply = (_received, response) => void response.writeHead(500).end();
  const { path } = await subscribe(['ticket.created']);
  await make.ticket(customer);
  const [failed] = await settledOf(path);
  expect(failed).toMatchObject({ state: 'failed', attempts: 4, next_attempt_at: null });
  const health = await admin.get(path);
  expect(health.body).toMatchObject({
    enabled: true,
    failing_since: expect.any(String),
    last_24_hours: { succeeded: 0, failed: 1, pending: 0 },
  });

  receiver.reply = (_received, response) => void response.end();
  const again = await admin.post(`${path}/deliveries/${failed.id}/redeliver`);
  expect(again).toMatchObject({ status: 202, body: { state: 'pending', id: failed.id } });
  const [delivered] = await settledOf(path);
  expect(delivered).toMatchObject({ state: 'succeeded', attempts: 5 });
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect((await admin.get(path)).body.failing_since).toBeNull();
});

test('a reply of 410 disables the webhook, which the audit log tells', async () => {
  receiver.reply = (_received, response) => void response.writeHead(410).end();
  const { id, path } = await subscribe(['ticket.created']);
  await make.ticket(customer);
  const [delivery] = await settledOf(path);
  expect(delivery).toMatchObject({ state: 'failed', attempts: 1 });
  const { body } = await admin.get(path);
  expect(body).toMatchObject({ enabled: false, disabled_reason: 'gone' });
  const audit = await admin.get(`/api/v1/audit?subject=${id}`);
  expect(audit.body.data.map(({ type }: Json) => type)).toEqual([
    'webhook.disabled',
    'webhook.created',
  ]);
  expect((await admin.post(`${path}/test`)).body.code).toBe('invalid-state');
});

test('a webhook that has failed for five days is disabled; enabled, it gets what waited', async () => {
  receiver.reply = (_received, response) => void response.writeHead(500).end();
  const { id, path } = await subscribe(['ticket.created']);
  await make.ticket(customer);
  await settledOf(path);
  await app.db
    .updateTable('webhooks')
    .set({ failing_since: new Date(Date.now() - 5 * 86_400_000 - 1_000) })
    .where('id', '=', id)
    .execute();
  await make.ticket(customer);
  await until('it to be disabled', async () => !(await admin.get(path)).body.enabled);
  expect((await admin.get(path)).body.disabled_reason).toBe('failing');
  const before = receiver.received.length;

  receiver.reply = (_received, response) => void response.end();
  const enabled = await admin.patch(path, { enabled: true });
  expect(enabled.body).toMatchObject({ enabled: true, disabled_reason: null, failing_since: null });
  await received(before + 1);
  await until('the newer one', async () =>
    (await deliveriesOf(path)).some(({ state }) => state === 'succeeded'),
  );
});

test('what was missed can be recovered, and what was taken is not sent again', async () => {
  const since = new Date().toISOString();
  const early = await make.ticket(customer);
  await make.positionOf(early);
  const { path } = await subscribe(['ticket.created']);
  const taken = await make.ticket(customer);
  await settledOf(path);
  await admin.patch(path, { enabled: false });
  const missed = await make.ticket(customer);
  await make.positionOf(missed);
  expect((await admin.post(`${path}/recover`, { since })).status).toBe(409);
  await admin.patch(path, { enabled: true });
  expect((await admin.post(`${path}/recover`, { since })).status).toBe(202);
  await received(3);
  await settledOf(path);
  const ids = receiver.received.map(({ body }) => body.data.object.id);
  expect(ids.toSorted()).toEqual([early, missed, taken].toSorted());
  expect(ids[0]).toBe(taken);
});

test('a delivery that is sent again while an attempt hangs is sent again', async () => {
  let held: (() => void) | undefined;
  receiver.reply = (_received, response) => {
    held = () => void response.writeHead(500).end();
  };
  const { id, path } = await subscribe(['ticket.created']);
  await app.db
    .updateTable('webhooks')
    .set({ failing_since: new Date(Date.now() - 60_000) })
    .where('id', '=', id)
    .execute();
  await make.ticket(customer);
  await received(1);
  const [{ id: deliveryId }] = await deliveriesOf(path);
  // The last of its schedule: what it ends with would be final.
  await app.db.updateTable('webhook_deliveries').set({ tries: 4 }).execute();
  await admin.post(`${path}/deliveries/${deliveryId}/redeliver`);
  receiver.reply = (_received, response) => void response.end();
  held?.();
  expect(await settledOf(path)).toMatchObject([{ state: 'succeeded', attempts: 2 }]);
});

test('what an old URL replies says nothing of the new one', async () => {
  let held: (() => void) | undefined;
  receiver.reply = (_received, response) => {
    held = () => void response.writeHead(410).end();
  };
  const { path } = await subscribe(['ticket.created']);
  await make.ticket(customer);
  await received(1);
  await admin.patch(path, { url: `${receiver.url}/new` });
  held?.();
  await settledOf(path);
  expect((await admin.get(path)).body).toMatchObject({ enabled: true, failing_since: null });
});

test('a secret that cannot be read any more is mended by a rotation', async () => {
  const { id, path } = await subscribe(['ticket.created']);
  await app.db.updateTable('webhooks').set({ secret: 'x' }).where('id', '=', id).execute();
  await make.ticket(customer);
  expect(await settledOf(path)).toMatchObject([{ state: 'failed', last_failure: 'refused' }]);
  await admin.post(`${path}/rotate-secret`);
  await make.ticket(customer);
  await received(1);
});

test('what is older than the log is not sent again', async () => {
  const { path } = await subscribe(['ticket.created']);
  const since = new Date(Date.now() - 31 * 86_400_000).toISOString();
  const { status, body } = await admin.post(`${path}/recover`, { since });
  expect({ status, errors: body.errors }).toMatchObject({
    status: 422,
    errors: [{ pointer: '/since', code: 'too-long-ago' }],
  });
});

test('a test event goes to one webhook, whatever it subscribes to', async () => {
  const { id, path } = await subscribe(['user.created']);
  await subscribe(['*']);
  const reply = await admin.post(`${path}/test`);
  expect(reply).toMatchObject({ status: 202, body: { event: { type: 'webhook.test' } } });
  await settledOf(path);
  expect(receiver.received.map(({ body }) => body.data.object.id)).toEqual([id]);
});

test('after a rotation both secrets sign for a day, then the new one alone', async () => {
  const { id, path, secret: old } = await subscribe(['ticket.created']);
  const { body } = await admin.post(`${path}/rotate-secret`);
  expect(body.secret).not.toBe(old);
  expect(Date.parse(body.previous_secret_expires_at) - Date.now()).toBeGreaterThan(86_000_000);
  await make.ticket(customer);
  const [during] = await received(1);
  const headers = during?.headers as Record<string, string>;
  new Webhook(old).verify(during?.text ?? '', headers);
  new Webhook(body.secret).verify(during?.text ?? '', headers);
  await app.db
    .updateTable('webhooks')
    .set({ previous_secret_until: new Date(Date.now() - 1_000) })
    .where('id', '=', id)
    .execute();
  await make.ticket(customer);
  const [, after] = await received(2);
  const later = after?.headers as Record<string, string>;
  new Webhook(body.secret).verify(after?.text ?? '', later);
  expect(() => new Webhook(old).verify(after?.text ?? '', later)).toThrow('No matching');
});

test('the secret is shown when it is new, and lies nowhere as it is', async () => {
  const { secret, path } = await subscribe(['*']);
  expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
  expect(JSON.stringify((await admin.get(path)).body)).not.toContain(secret);
  const rows = await app.db.selectFrom('webhooks').selectAll().execute();
  const events = await app.db.selectFrom('events').selectAll().execute();
  expect(JSON.stringify([rows, events])).not.toContain(secret.slice(6));
});

test('the same key makes one webhook, and gives the same secret', async () => {
  const input = { url: receiver.url, events: ['*'] };
  const headers = { 'idempotency-key': 'once' };
  const first = await admin.post('/api/v1/webhooks', input, headers);
  const second = await admin.post('/api/v1/webhooks', input, headers);
  expect(second).toMatchObject({ status: 201, headers: { 'idempotent-replayed': 'true' } });
  expect(second.body).toEqual(first.body);
  await admin.post(`/api/v1/webhooks/${first.body.id}/rotate-secret`);
  const third = await admin.post('/api/v1/webhooks', input, headers);
  expect(third.body.secret).toBe(first.body.secret);
  const other = await admin.post('/api/v1/webhooks', { ...input, description: 'x' }, headers);
  expect(other.body.code).toBe('idempotency-key-reused');
});

test.each([
  ['http://10.0.0.1/hook', 'address'],
  ['http://169.254.169.254/latest/meta-data', 'address'],
  ['http://127.0.0.1:1/hook', 'port'],
  ['http://localhost/hook', 'name'],
  ['ftp://example.com/hook', 'scheme'],
  ['https://user:pass@example.com/', 'credentials'],
  ['nonsense', 'invalid'],
])('%s is refused when it is entered (%s)', async (url, code) => {
  const { status, body } = await admin.post('/api/v1/webhooks', { url, events: ['*'] });
  expect(status).toBe(422);
  expect(body.errors).toMatchObject([{ pointer: '/url', code }]);
  const { path } = await subscribe(['*']);
  expect((await admin.patch(path, { url })).status).toBe(422);
});

test('a destination that has become private is not connected to', async () => {
  const { id, path } = await subscribe(['ticket.created']);
  const elsewhere = await startWebhookReceiver();
  await app.db.updateTable('webhooks').set({ url: elsewhere.url }).where('id', '=', id).execute();
  await make.ticket(customer);
  const [delivery] = await settledOf(path);
  expect(delivery).toMatchObject({ state: 'failed', last_failure: 'refused' });
  expect(elsewhere.received).toEqual([]);
  await elsewhere.close();
});

test('a stale If-Match is 412; removing takes the log along', async () => {
  const { path } = await subscribe(['ticket.created']);
  await admin.patch(path, { description: 'A' }, { 'if-match': '"1"' });
  const stale = await admin.patch(path, { description: 'B' }, { 'if-match': '"1"' });
  expect(stale).toMatchObject({ status: 412, headers: { etag: '"2"' } });
  await make.ticket(customer);
  await settledOf(path);
  expect((await admin.delete(path)).status).toBe(204);
  expect((await admin.get(path)).status).toBe(404);
  const left = await app.db.selectFrom('webhook_attempts').selectAll().execute();
  expect(left).toEqual([]);
});

test('there may be a hundred webhooks', async () => {
  const rows = Array.from({ length: 100 }, () => ({
    id: crypto.randomUUID(),
    url: receiver.url,
    description: '',
    events: ['user.created'],
    secret: '',
  }));
  await app.db.insertInto('webhooks').values(rows).execute();
  const { status, body } = await admin.post('/api/v1/webhooks', {
    url: receiver.url,
    events: ['*'],
  });
  expect({ status, code: body.code }).toEqual({ status: 409, code: 'too-many-webhooks' });
});

test('lists page, newest first', async () => {
  const { path } = await subscribe(['ticket.created']);
  for (let count = 0; count < 3; count += 1) await make.ticket(customer);
  await until('three deliveries', async () => (await deliveriesOf(path)).length === 3);
  const first = await admin.get(`${path}/deliveries?limit=2`);
  const rest = await admin.get(`${path}/deliveries?limit=2&cursor=${first.body.next_cursor}`);
  const times = [...first.body.data, ...rest.body.data].map(({ created_at }) => created_at);
  expect(times).toHaveLength(3);
  expect(times).toEqual(times.toSorted().reverse());
  await settledOf(path);
  expect((await admin.get(`${path}/deliveries?state=failed`)).body.data).toEqual([]);
});
