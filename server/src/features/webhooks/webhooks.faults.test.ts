import type { ServerResponse } from 'node:http';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { onServer } from '../../../test/database.ts';
import { createFactories } from '../../../test/factories.ts';
import { startTestApp, until, type TestClient } from '../../../test/harness.ts';
import type { Json } from '../../../test/reply.ts';
import { startWebhookReceiver } from '../../../test/webhook-receiver.ts';

const receiver = await startWebhookReceiver();
const trap = await startWebhookReceiver();
const env = {
  RUN_JOBS: 'true',
  WEBHOOK_ALLOW: receiver.host,
  WEBHOOK_RETRY_SCHEDULE: '0',
  WEBHOOK_TIMEOUT_MS: '1500',
};
const app = await startTestApp({ env });
const make = createFactories(app);
let customer: TestClient;
let admin: TestClient;
const isOnPostgres = inject('databases').serverUrl !== undefined;

beforeAll(async () => {
  customer = await app.as('customer');
  admin = await app.as('admin');
});
afterAll(async () => {
  await app.close();
  await receiver.close();
  await trap.close();
});
beforeEach(async () => {
  await app.db.deleteFrom('webhooks').execute();
  receiver.received.length = 0;
  receiver.reply = (_received, response) => void response.end('ok');
});

async function subscribe(url = receiver.url): Promise<string> {
  const { body } = await admin.post('/api/v1/webhooks', { url, events: ['ticket.created'] });
  return `/api/v1/webhooks/${body.id}`;
}

const ended = (path: string): Promise<Json> =>
  until('the delivery to end', async () => {
    const { body } = await admin.get(`${path}/deliveries`);
    return body.data[0]?.state !== undefined && body.data[0].state !== 'pending' && body.data[0];
  });

const huge = Buffer.alloc(1024 * 1024, 'x');
function flood(response: ServerResponse): void {
  if (!response.destroyed && response.write(huge)) setImmediate(() => flood(response));
  else response.once('drain', () => flood(response));
}
function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write('.'), 50);
  response.once('close', () => clearInterval(timer));
}

test.each<[string, (response: ServerResponse) => void, object]>([
  ['never replies', () => undefined, { state: 'failed', last_failure: 'timeout' }],
  ['drips', drip, { state: 'failed', last_failure: 'timeout' }],
  ['resets', (response) => response.socket?.destroy(), { state: 'failed', last_failure: 'reset' }],
  [
    'redirects to a private address',
    (response) => response.writeHead(302, { location: trap.url }).end(),
    { state: 'failed', last_status: 302 },
  ],
  [
    'announces more than it sends',
    (response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('x', () => response.socket?.destroy());
    },
    { state: 'failed' },
  ],
  ['sends without an end', flood, { state: 'succeeded', last_status: 200 }],
])(
  'a receiver that %s costs one attempt, bounded in time and size',
  async (_what, reply, outcome) => {
    receiver.reply = (_received, response) => reply(response);
    const path = await subscribe();
    const startedAt = performance.now();
    await make.ticket(customer);
    expect(await ended(path)).toMatchObject({ attempts: 1, ...outcome });
    expect(performance.now() - startedAt).toBeLessThan(6_000);
    const row = sql<{
      length: number;
    }>`select coalesce(max(length(response_body)), 0) as length from webhook_attempts`;
    expect((await row.execute(app.db)).rows[0]?.length).toBeLessThanOrEqual(4_000);
    expect(trap.received).toEqual([]);
  },
);

test('fifty receivers that hang hold up no other one', async () => {
  const rows = Array.from({ length: 50 }, () => ({
    id: crypto.randomUUID(),
    url: `${receiver.url}?hang`,
    description: '',
    events: ['ticket.created'],
    secret: '',
  }));
  const path = await subscribe();
  const { secret } = await app.db.selectFrom('webhooks').select('secret').executeTakeFirstOrThrow();
  await app.db
    .insertInto('webhooks')
    .values(rows.map((row) => ({ ...row, secret })))
    .execute();
  receiver.reply = ({ url }, response) => void (url.endsWith('hang') || response.end('ok'));
  for (let count = 0; count < 12; count += 1) await make.ticket(customer);
  const last = await make.ticket(customer);
  const committedAt = Date.now();
  const arrived = await until('the last one', () =>
    receiver.received.find(
      ({ url, body }) => !url.endsWith('hang') && body.data.object.id === last,
    ),
  );
  expect(arrived.at - committedAt).toBeLessThan(2_000);
  expect((await admin.get(path)).body.failing_since).toBeNull();
});

test.runIf(isOnPostgres)(
  'when all connections to the database break, nothing is lost',
  async () => {
    const path = await subscribe();
    const ids: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      for (let count = 0; count < 5; count += 1) {
        // Over a connection that has just been broken nothing is opened: somebody tries again.
        ids.push(await until('a ticket', () => make.ticket(customer).catch(() => undefined)));
      }
      await onServer(
        app.databaseUrl ?? '',
        `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
      );
    }
    const received = () => new Set(receiver.received.map(({ body }) => body.data.object.id));
    await until('all of them', () => ids.every((id) => received().has(id)), 60_000);
    await until('the log to say so', async () => {
      const { body } = await admin.get(`${path}/deliveries?state=succeeded&limit=100`);
      return body.data?.length >= ids.length;
    });
  },
);

test('an attempt that a shutdown breaks off is due at once, and does not count', async () => {
  receiver.reply = () => undefined;
  const other = await startTestApp({ env, sharing: app.testDatabase });
  // The one that stays takes nothing meanwhile.
  await app.container.dispatcher.stop(0);
  const path = await subscribe();
  await make.ticket(customer);
  await until('the attempt', () => receiver.received.length === 1);
  receiver.reply = (_received, response) => void response.end();
  await other.container.dispatcher.stop(0);
  const { body } = await admin.get(`${path}/deliveries`);
  expect(body.data[0]).toMatchObject({ state: 'pending', attempts: 1 });
  const detail = await admin.get(`${path}/deliveries/${body.data[0].id}`);
  expect(detail.body.attempt_log).toMatchObject([{ outcome: 'interrupted' }]);
  const next = await startTestApp({ env, sharing: app.testDatabase });
  expect(await ended(path)).toMatchObject({ state: 'succeeded', attempts: 2 });
  await next.close();
  await other.close();
});
