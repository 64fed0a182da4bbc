import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFactories, factoriesEnv } from '../../../test/factories.ts';
import { startTestApp, type TestApp, type TestClient } from '../../../test/harness.ts';

const app = await startTestApp({
  env: {
    ...factoriesEnv,
    RETENTION_LOGS_DAYS: '10',
    RETENTION_TICKETS_DAYS: '100',
    RETENTION_EVENTS_DAYS: '50',
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
afterAll(() => app.close());

const run = (of: TestApp = app): Promise<void> =>
  of.container.retention.run({ signal: new AbortController().signal });

const count = async (table: string, condition = 'true'): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from ${sql.table(table)} where ${sql.raw(condition)}`.execute(
    app.db,
  );
  return rows[0]?.count ?? 0;
};

/** Ages all rows of a table by so many days. */
const age = (table: string, columns: string[], days: number) =>
  sql`update ${sql.table(table)} set ${sql.join(
    columns.map(
      (column) => sql`${sql.ref(column)} = ${sql.ref(column)} - make_interval(days => ${days})`,
    ),
  )}`.execute(app.db);

test('what is over is forgotten when it is old, and not before', async () => {
  await make.accountToken();
  const { body } = await customer.post(
    '/api/v1/tickets',
    { title: 'Shoes', description: 'How long?' },
    { 'idempotency-key': 'one' },
  );
  expect(body.id).toBeDefined();
  await sql`insert into mails (id, user_id, kind, begun_at)
    values (gen_random_uuid(), ${customer.user.id}, 'agent-replied', now())`.execute(app.db);
  await customer.post('/api/v1/auth/logout', {});
  const sessions = await count('sessions');
  const ended = await count('sessions', 'revoked_at is not null');
  expect(ended).toBe(1);
  const webhookId = await make.webhook(admin);
  for (const state of ['succeeded', 'failed']) {
    const id = await make.delivery(webhookId, admin);
    await sql`update webhook_deliveries set state = ${state}, ended_at = now(),
      next_attempt_at = null where id = ${id}`.execute(app.db);
  }
  const waiting = await make.delivery(webhookId, admin);
  const aged: [string, string[]][] = [
    ['account_tokens', ['created_at', 'expires_at']],
    ['mails', ['begun_at']],
    ['webhook_deliveries', ['created_at', 'ended_at']],
  ];
  await sql`update idempotency_keys set created_at = now() - interval '23 hours'`.execute(app.db);
  for (const [table, columns] of aged) await age(table, columns, 9);
  await sql`update sessions set revoked_at = now() - interval '9 days'
    where revoked_at is not null`.execute(app.db);
  await run();
  const numbers = async () => [
    await count('account_tokens'),
    await count('mails'),
    await count('webhook_deliveries', 'ended_at is not null'),
    await count('idempotency_keys'),
    await count('sessions'),
  ];
  expect(await numbers()).toEqual([1, 1, 2, 1, sessions]);

  // An invitation is good for seven days, and is forgotten ten days later.
  for (const [table, columns] of aged) await age(table, columns, 9);
  await age('sessions', ['revoked_at'], 9);
  await sql`update idempotency_keys set created_at = now() - interval '25 hours'`.execute(app.db);
  await run();
  expect(await numbers()).toEqual([0, 0, 0, 0, sessions - ended]);
  expect(await count('webhook_deliveries', `id = '${waiting}'`)).toBe(1);
});

test('tickets that are done lose their content when they are old; the others keep it', async () => {
  const requester = await app.as('customer');
  const old = new Date(Date.now() - 101 * 24 * 3_600_000);
  const titles = { closed: '', resolved: '', open: '', young: '' };
  for (const status of ['closed', 'resolved', 'open'] as const) {
    titles[status] = await make.ticket(requester, { status });
    await sql`update tickets set updated_at = ${old} where id = ${titles[status]}`.execute(app.db);
  }
  titles.young = await make.ticket(requester, { status: 'closed' });
  await run();
  const shown = async (id: string) => {
    const { body } = await requester.get(`/api/v1/tickets/${id}`);
    return [body.title, body.status, body.messages[0].content, body.updated_at];
  };
  const gone = ['[deleted]', 'closed', '[deleted]', old.toISOString()];
  expect(await shown(titles.closed)).toEqual(gone);
  expect(await shown(titles.resolved)).toEqual(gone);
  expect((await shown(titles.open)).slice(0, 2)).toEqual(['Shoes do not fit', 'open']);
  expect((await shown(titles.young)).slice(0, 2)).toEqual(['Shoes do not fit', 'closed']);
});

test('events go when they are old, from the oldest on, and the feed goes on', async () => {
  const requester = await app.as('customer');
  const id = await make.ticket(requester);
  await make.positionOf(id);
  await app.db.transaction().execute(async (db) => {
    await sql`select set_config('support_assistant.retention', 'on', true)`.execute(db);
    await sql`update events set created_at = created_at - interval '49 days'`.execute(db);
  });
  const before = await count('events');
  await run();
  expect(await count('events')).toBe(before);
  app.clock.advance(3 * 24 * 3_600_000);
  await run();
  expect(await count('events', 'position is not null')).toBe(0);
  app.clock.advance(-3 * 24 * 3_600_000);
  const next = await make.ticket(requester);
  expect(await make.positionOf(next)).toBeGreaterThan(before);
});

test('an erase that its jobs gave up is taken up again', async () => {
  const leaving = await app.as('customer');
  await leaving.delete('/api/v1/me');
  await sql`delete from pgboss.job where name = 'privacy.erase'`.execute(app.db);
  await run();
  expect(await count('pgboss.job', "name = 'privacy.erase'")).toBe(0);
  await sql`update users set erase_requested_at = now() - interval '2 hours'
    where id = ${leaving.user.id}`.execute(app.db);
  await run();
  expect(await count('pgboss.job', "name = 'privacy.erase'")).toBe(1);
});

test('without a setting tickets and events are kept for good', async () => {
  const other = await startTestApp({ sharing: app.testDatabase });
  try {
    const id = await make.ticket(agent, { status: 'closed' });
    other.clock.advance(10_000 * 24 * 3_600_000);
    await run(other);
    const kept = `id = '${id}' and title = 'Shoes do not fit' and erased_at is null`;
    expect(await count('tickets', kept)).toBe(1);
    expect(await count('events', `ticket_id = '${id}'`)).toBeGreaterThan(0);
  } finally {
    await other.close();
  }
});
