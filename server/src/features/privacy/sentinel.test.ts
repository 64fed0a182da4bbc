import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { settled } from '../../../test/asking.ts';
import { createFactories, exchangeEnv } from '../../../test/factories.ts';
import { startFakeSmtp } from '../../../test/fake-smtp.ts';
import {
  startTestApp,
  testPassword,
  until,
  type TestClient,
  type TestReply,
} from '../../../test/harness.ts';
import { scan } from '../../../test/scan.ts';
import { startWebhookReceiver } from '../../../test/webhook-receiver.ts';

/*
 * A person whose every word has a mark in it leaves it wherever the server keeps anything. Then the
 * whole database is searched for it, column by column: what is forgotten here is found here.
 */

const receiver = await startWebhookReceiver();
const smtp = await startFakeSmtp();
const app = await startTestApp({
  env: {
    ...exchangeEnv,
    RUN_JOBS: 'true',
    TRUST_PROXY: 'true',
    WEBHOOK_ALLOW: receiver.host,
    WEBHOOK_RETRY_SCHEDULE: '0',
    SMTP_URL: smtp.url,
    MAIL_FROM: 'support@shop.example',
  },
});
const make = createFactories(app);
let admin: TestClient;
let agent: TestClient;
beforeAll(async () => {
  await app.publish();
  admin = await app.as('admin');
  agent = await app.as('agent');
  // A receiver that tells what it was told.
  receiver.reply = ({ text }, response) => {
    const { data } = JSON.parse(text);
    response.setHeader('x-title', String(data.object.title ?? data.object.content ?? '-'));
    response.end(text);
  };
  await admin.post('/api/v1/webhooks', { url: receiver.url, events: ['*'] });
});
afterAll(async () => {
  await smtp.close();
  await app.close();
  await receiver.close();
});

type Marked = { mark: string; ip: string; ids: string[]; tokens: string[] };

/** Two accounts of one person, who does all that leaves something behind. */
async function person(mark: string, ip: string): Promise<Marked> {
  const headers = { 'x-forwarded-for': ip, 'user-agent': `Browser/${mark}` };
  const email = `${mark}@example.com`;
  const account = { email, name: `Robin ${mark}`, password: testPassword };
  const { body: user } = await done(app.anonymous.post('/api/v1/auth/signup', account, headers));
  const login = { email, password: testPassword };
  const { body: grant } = await done(app.anonymous.post('/api/v1/auth/login', login, headers));
  const token = make.hostToken({ sub: mark, email: `host-${mark}@example.com`, name: mark });
  const { body: exchanged } = await done(
    app.anonymous.post('/api/v1/auth/exchange', { token }, headers),
  );
  const tokens = [grant.access_token as string, exchanged.access_token as string];
  for (const token of tokens)
    await converse(mark, { ...headers, authorization: `Bearer ${token}` });
  await done(app.anonymous.post('/api/v1/auth/password-resets', { email }, headers));
  await until('the mails', () => smtp.mailsTo(email).length >= 3, 30_000);
  const me = await app.anonymous.get('/api/v1/me', { authorization: `Bearer ${tokens[1]}` });
  return { mark, ip, ids: [user.id, me.body.id], tokens };
}

async function converse(mark: string, headers: Record<string, string>): Promise<void> {
  const api = '/api/v1/tickets';
  const asked = { title: `Zips of ${mark}`, description: `Do you mend zips for ${mark}?` };
  const key = { ...headers, 'idempotency-key': `key-of-${mark}` };
  const { body: ticket } = await done(app.anonymous.post(api, asked, key));
  const url = `${api}/${ticket.id}`;
  const { messages } = await settled(agent, ticket.id);
  const answerId = messages.find((one: { answer_id: string | null }) => one.answer_id)?.answer_id;
  await done(
    app.anonymous.put(
      `/api/v1/answers/${answerId}/feedback`,
      { helpful: false, comment: `Not for ${mark}.` },
      headers,
    ),
  );
  const call = { content: `Call +31 6 1234 ${mark}; attached: invoice-${mark}.pdf` };
  await done(agent.patch(url, { assistant: 'paused' }));
  await done(app.anonymous.post(`${url}/messages`, call, headers));
  await done(app.anonymous.put(`${url}/presence`, { state: 'viewing' }, headers));
  await done(app.anonymous.patch(url, { title: `Zips and more of ${mark}` }, headers));
  await done(agent.patch(url, { tags: [`vip-${mark}`] }));
  await done(agent.patch(url, { tags: ['vip'], title: `Zips of ${mark} again` }));
  await done(
    agent.post(`${url}/messages`, { content: `We know ${mark}.`, visibility: 'internal' }),
  );
  await done(
    agent.post(`${url}/messages`, { content: `Dear ${mark}, we do.`, status: 'resolved' }),
  );
  // What a model may repeat of a question, or quote from an article about nobody else.
  const quote = JSON.stringify([{ n: 1, article_id: ticket.id, title: mark, quote: mark }]);
  await sql`update answers set text = ${`You asked, ${mark}.`}, citations = ${quote}::jsonb,
    sources = ${quote}::jsonb where ticket_id = ${ticket.id}`.execute(app.db);
  await sql`update messages set citations = ${quote}::jsonb
    where ticket_id = ${ticket.id} and answer_id is not null`.execute(app.db);
}

/** Of a request that leaves something behind: one that fails would leave nothing. */
async function done(request: Promise<TestReply>): Promise<TestReply> {
  const reply = await request;
  expect(reply.status, JSON.stringify(reply.body)).toBeLessThan(300);
  return reply;
}

const nothingUnderWay = (): Promise<unknown> =>
  until(
    'everything to settle',
    async () => {
      const { rows } = await sql<{ count: number }>`select
        (select count(*) from events where position is null)
        + (select count(*) from webhook_deliveries where state = 'pending')
        + (select count(*) from pgboss.job where name in ('mails', 'privacy.erase')
          and state in ('created', 'active') and start_after <= now()) as count`.execute(app.db);
      return Number(rows[0]?.count) === 0;
    },
    60_000,
  );

const placesOf = async (...texts: string[]): Promise<Record<string, number>> =>
  Object.assign({}, ...(await Promise.all(texts.map((text) => scan(app.db, text)))));

/** Where the mark of a person is before they are erased. */
const places = [
  'answers.citations',
  'answers.feedback_comment',
  'answers.sources',
  'answers.text',
  'answers.trace',
  'events.data',
  'events.previous',
  'idempotency_keys.key',
  'knowledge_gaps.question',
  'messages.citations',
  'messages.content',
  'sessions.user_agent',
  'tickets.description',
  'tickets.title',
  'users.email',
  'users.external_subject',
  'users.name',
  'webhook_attempts.response_body',
  'webhook_attempts.response_headers',
].map((place) => `public.${place}`);

test('a person who is erased is in no column of the database any more, and others are in all', async () => {
  const robin = await person('markofrobin', '203.0.113.77');
  const other = await person('markofother', '203.0.113.88');
  await nothingUnderWay();
  const before = await placesOf(robin.mark);
  expect(Object.keys(before).sort()).toEqual(places);
  expect(Object.keys(await placesOf(robin.ip)).sort()).toEqual([
    'public.events.data',
    'public.sessions.network',
  ]);
  const ofRobin = async () =>
    Promise.all(
      robin.ids
        .flatMap((id) => ['mails', 'account_tokens', 'presence'].map((table) => [table, id]))
        .map(async ([table = '', id]) => {
          const { rows } =
            await sql`select 1 from ${sql.table(table)} where user_id = ${id}`.execute(app.db);
          return rows.length;
        }),
    );
  expect((await ofRobin()).every((count) => count === 0)).toBe(false);
  const others = [await placesOf(other.mark), await placesOf(other.ip)];
  expect(Object.keys(others[0] ?? {}).sort()).toEqual(places);

  const [first = '', second = ''] = robin.ids;
  expect((await admin.post(`/api/v1/users/${first}/erase`)).status).toBe(202);
  const bearer = { authorization: `Bearer ${robin.tokens[1]}` };
  expect((await app.anonymous.delete('/api/v1/me', bearer)).status).toBe(204);
  await until('both to be erased', async () => {
    const users = app.db.selectFrom('users').select('erased_at').where('id', 'in', [first, second]);
    return (await users.execute()).every(({ erased_at }) => erased_at !== null);
  });
  await nothingUnderWay();

  expect(await placesOf(robin.mark)).toEqual({});
  expect(await placesOf(robin.ip)).toEqual({});
  expect((await ofRobin()).every((count) => count === 0)).toBe(true);
  expect([await placesOf(other.mark), await placesOf(other.ip)]).toEqual(others);
});

test('a column, a table or a schema that comes later is searched too', async () => {
  await make.ticket(agent);
  await sql`alter table tickets add column marks text[]`.execute(app.db);
  await sql`create schema later`.execute(app.db);
  await sql`create table later.notes (of bytea, said jsonb)`.execute(app.db);
  await sql`update tickets set marks = array['one', 'Later-Mark']`.execute(app.db);
  await sql`insert into later.notes values ('the later-mark', '{"a": ["later-mark"]}')`.execute(
    app.db,
  );
  expect(Object.keys(await scan(app.db, 'later-mark')).sort()).toEqual([
    'later.notes.of',
    'later.notes.said',
    'public.tickets.marks',
  ]);
});
