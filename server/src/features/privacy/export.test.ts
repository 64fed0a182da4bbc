import { randomUUIDv7 } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFactories } from '../../../test/factories.ts';
import { startTestApp, type TestClient } from '../../../test/harness.ts';
import type { Json } from '../../../test/reply.ts';

const app = await startTestApp();
const make = createFactories(app);
let customer: TestClient;
let other: TestClient;
let agent: TestClient;
let admin: TestClient;
beforeAll(async () => {
  customer = await app.signUp({ name: 'Robin Vos' });
  other = await app.signUp({ name: 'Someone Else' });
  agent = await app.as('agent');
  admin = await app.as('admin');
});
afterAll(() => app.close());

const exportOf = async (client: TestClient, url = '/api/v1/me/export'): Promise<Json> => {
  const reply = await client.get(url);
  expect(reply.status).toBe(200);
  return reply.body;
};

/** A ticket with a reply, a note, and a rated answer whose question nothing answers. */
async function conversation(of: TestClient): Promise<string> {
  const id = await make.ticket(of, { title: 'Shoes of Robin' });
  await make.note(id, agent);
  await agent.post(`/api/v1/tickets/${id}/messages`, { content: 'Thirty days.' });
  const answerId = await make.answer(id);
  await of.put(`/api/v1/answers/${answerId}/feedback`, { helpful: true, comment: 'Very kind.' });
  await sql`update answers set trace = '{"searched": ["return shoes"]}'::jsonb
    where id = ${answerId}`.execute(app.db);
  await sql`insert into knowledge_gaps (id, answer_id, ticket_id, question)
    values (${randomUUIDv7()}, ${answerId}, ${id}, 'Do you mend zips?')`.execute(app.db);
  return id;
}

test('an export has the profile, sessions, tickets, answers, ratings, searches and events', async () => {
  const id = await conversation(customer);
  const body = await exportOf(customer);
  expect(body.user).toMatchObject({ email: customer.user.email, name: 'Robin Vos' });
  expect(body.sessions).toMatchObject([{ user_agent: expect.any(String), revoked_at: null }]);
  expect(body.events.map(({ type }: Json) => type)).toEqual(['user.created', 'user.signed_in']);
  const ticket = body.tickets.find((one: Json) => one.id === id);
  expect(ticket).toMatchObject({
    title: 'Shoes of Robin',
    messages: [
      { author_type: 'customer', author_name: 'Robin Vos' },
      { author_type: 'agent', content: 'Thirty days.' },
    ],
    answers: [
      {
        text: 'You have 30 days from delivery.',
        searched: ['return shoes'],
        unanswered: 'Do you mend zips?',
        feedback_helpful: true,
        feedback_comment: 'Very kind.',
      },
    ],
  });
  expect(ticket.events.map(({ type }: Json) => type)).toContain('answer.rated');
});

test('an export of oneself has no notes of the team, one by an admin has them', async () => {
  const id = await conversation(customer);
  const contents = (body: Json): string[] =>
    body.tickets
      .find((one: Json) => one.id === id)
      .messages.map(({ visibility }: Json) => visibility);
  expect(contents(await exportOf(customer))).toEqual(['public', 'public']);
  const byAdmin = await exportOf(admin, `/api/v1/users/${customer.user.id}/export`);
  expect(contents(byAdmin)).toEqual(['public', 'internal', 'public']);
  expect(JSON.stringify(await exportOf(customer))).not.toContain('Between us');
});

test('an export has neither secrets nor anything of others', async () => {
  await conversation(customer);
  await conversation(other);
  const { passwordHash, tokenHash } = await app.db
    .selectFrom('users')
    .innerJoin('sessions', 'sessions.user_id', 'users.id')
    .select(['users.password_hash as passwordHash', 'sessions.token_hash as tokenHash'])
    .where('users.id', '=', customer.user.id)
    .executeTakeFirstOrThrow();
  for (const client of [customer, agent]) {
    const text = JSON.stringify(await exportOf(client));
    for (const secret of [
      passwordHash ?? '',
      tokenHash.toString('hex'),
      client.token,
      'token_hash',
      'password_hash',
      'rotation_key',
    ]) {
      expect(text).not.toContain(secret);
    }
    expect(text).not.toContain('Someone Else');
    expect(text).not.toContain(other.user.email);
    expect(text).not.toContain(admin.user.email);
  }
  // An agent wrote on the tickets of others, which are not about the agent.
  expect(JSON.stringify(await exportOf(agent))).not.toContain(customer.user.email);
});

test('an export of thousands of messages is whole, and comes page by page', async () => {
  const writer = await app.as('customer');
  const id = await make.ticket(writer);
  const count = 5_000;
  await sql`insert into messages (id, ticket_id, seq, author_type, author_id, content)
    select gen_random_uuid(), ${id}, n, 'customer', ${writer.user.id}, 'Message ' || n
    from generate_series(2, ${count}::int) as n`.execute(app.db);
  const [ticket] = (await exportOf(writer)).tickets;
  expect(ticket.messages.map(({ seq }: Json) => seq)).toEqual(
    Array.from({ length: count }, (_none, n) => n + 1),
  );
  let largest = 0;
  const actor = { ...writer.user, sessionId: '' };
  for await (const piece of await app.container.exporting.export(actor, writer.user.id)) {
    largest = Math.max(largest, piece.length);
  }
  expect(largest).toBeLessThan(2_000);
});

test('an export of a person without anything is a whole document', async () => {
  const { id } = await make.invited();
  const body = await exportOf(admin, `/api/v1/users/${id}/export`);
  expect(body).toMatchObject({ sessions: [], tickets: [], mails: [], links: [], requests: [] });
});

test('an export is a file that nobody keeps', async () => {
  const { headers } = await customer.get('/api/v1/me/export');
  expect(headers['content-disposition']).toBe(
    `attachment; filename="export-${customer.user.id}.json"`,
  );
  expect(headers['cache-control']).toBe('no-store');
});
