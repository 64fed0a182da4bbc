import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFactories, factoriesEnv } from '../../server/test/factories.ts';
import { startTestApp, testPassword } from '../../server/test/harness.ts';
import { startWithFakeAi, type AppWithFakeAi } from '../../server/test/asking.ts';
import { ApiError, collectAnswer, createClient, type Client } from '../src/client.ts';

let app: AppWithFakeAi['app'];
let fake: AppWithFakeAi['fake'];
let baseUrl: string;

beforeAll(async () => {
  ({ app, fake } = await startWithFakeAi());
  baseUrl = await app.listen();
});

afterAll(async () => {
  await app.close();
  await fake.close();
});

async function clientAs(role: 'customer' | 'agent'): Promise<Client> {
  const { token } = await app.as(role);
  return createClient({ baseUrl, token });
}

const question = {
  title: 'Returns',
  description: 'How long do I have to return shoes?',
};

describe('the client', () => {
  it('asks, reads the answer as it is written, and finds it saved', async () => {
    const client = await clientAs('customer');
    const ticket = await client.tickets.create(question);
    expect(ticket).toMatchObject({
      title: 'Returns',
      status: 'open',
      answer: { state: expect.stringMatching(/queued|streaming/) },
    });

    const answer = await collectAnswer(client.answers.stream(ticket.id));
    expect(answer).toMatchObject({
      answerId: ticket.answer?.id,
      state: 'completed',
      verdict: 'ANSWER',
      handoff: null,
      sources: [{ n: 1, title: 'How long do I have to return an item?', heading: 'Returns' }],
      citations: [{ n: 1, quote: 'You have 30 days from delivery to return an item.' }],
    });

    const { messages } = await client.tickets.get(ticket.id);
    expect(messages.map(({ author, content }) => [author.type, content])).toEqual([
      ['customer', question.description],
      ['assistant', answer.text],
    ]);
    expect(await client.answers.get(answer.answerId ?? '')).toMatchObject({ text: answer.text });
  });

  it('replays an ended answer, by its ticket and by itself', async () => {
    const client = await clientAs('customer');
    const ticket = await client.tickets.create(question);
    const answer = await collectAnswer(client.answers.stream(ticket.id));
    const stream = client.answers.stream(ticket.id);
    expect(await collectAnswer(stream)).toEqual(answer);
    expect(await collectAnswer(client.answers.follow(answer.answerId ?? ''))).toEqual(answer);

    const rest = client.answers.stream(ticket.id, { lastEventId: stream.lastEventId });
    expect((await collectAnswer(rest)).state).toBeNull();
  });

  it('writes and lists messages, and pages through tickets', async () => {
    const client = await clientAs('customer');
    const first = await client.tickets.create(question);
    await collectAnswer(client.answers.stream(first.id));
    const posted = await client.messages.create(first.id, { content: 'And sale items?' });
    expect(posted).toMatchObject({
      message: { seq: 3 },
      answer: { state: expect.stringMatching(/queued|streaming/) },
    });
    await collectAnswer(client.answers.follow(posted.answer?.id ?? ''));
    const newest = await client.messages.list(first.id, { sort: '-seq', limit: 1 });
    expect(newest.data).toMatchObject([{ seq: 4, answer_state: 'completed' }]);

    const second = await client.tickets.create({ ...question, title: 'More returns' });
    const page = await client.tickets.list({ sort: '-number', limit: 1 });
    expect(page.data.map(({ id }) => id)).toEqual([second.id]);
    const next = await client.tickets.list({
      sort: '-number',
      limit: 1,
      cursor: page.next_cursor ?? '',
    });
    expect(next.data.map(({ id }) => id)).toEqual([first.id]);
    expect((await client.tickets.list({ status: ['closed', 'resolved'] })).data).toEqual([]);
  });

  it('changes a ticket only as it was read', async () => {
    const client = await clientAs('customer');
    const { id } = await client.tickets.create(question);
    await collectAnswer(client.answers.stream(id));
    const ticket = await client.tickets.get(id);
    const resolved = await client.tickets.update(ticket, { status: 'resolved' });
    expect(resolved.status).toBe('resolved');
    await expect(client.tickets.update(ticket, { title: 'Late' })).rejects.toMatchObject({
      code: 'version-mismatch',
      status: 412,
    });
  });

  it('stops an answer, asks for another one and rates it', async () => {
    const client = await clientAs('customer');
    fake.script('slow?delay=5000');
    const asked = fake.received(fake.requests.length + 1);
    const ticket = await client.tickets.create(question);
    await asked;
    const stopped = await client.answers.cancel(ticket.answer?.id ?? '');
    expect(stopped.state).toBe('cancelled');

    const { id } = await client.answers.retry(ticket.id);
    const answer = await collectAnswer(client.answers.follow(id));
    expect(answer.state).toBe('completed');
    const rated = await client.answers.feedback(id, { helpful: false, reason: 'incomplete' });
    expect(rated.feedback).toEqual({ helpful: false, reason: 'incomplete', comment: null });
  });

  it('searches the articles without signing in', async () => {
    const { data } = await createClient({ baseUrl }).articles.search('return shoes', { limit: 1 });
    expect(data).toMatchObject([{ title: 'How long do I have to return an item?' }]);
  });

  it('signs in, refreshes, and goes on with the new token when the old one is refused', async () => {
    const { user } = await app.as('customer');
    const anonymous = createClient({ baseUrl: `${baseUrl}/` });
    const login = { email: user.email, password: testPassword };
    let grant = await anonymous.auth.login(login);
    expect(grant).toMatchObject({ token_type: 'bearer', expires_in: 600 });
    const client = createClient({
      baseUrl,
      getToken: async (rejected) => {
        if (rejected === undefined) return 'expired';
        grant = await anonymous.auth.refresh(grant.refresh_token);
        return grant.access_token;
      },
    });
    const ticket = await client.tickets.create(question);
    expect((await collectAnswer(client.answers.stream(ticket.id))).state).toBe('completed');
  });

  it('throws errors that say what and where', async () => {
    const client = await clientAs('customer');
    const error = await client.tickets.create({ ...question, title: '' }).catch((error) => error);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      code: 'validation-failed',
      status: 422,
      errors: [{ pointer: '/title' }],
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const stranger = await clientAs('customer');
    const { id } = await client.tickets.create(question);
    await expect(collectAnswer(stranger.answers.stream(id))).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(createClient({ baseUrl }).tickets.list()).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    await expect(
      createClient({ baseUrl }).auth.login({ email: 'a@example.com', password: 'wrong' }),
    ).rejects.toMatchObject({ code: 'invalid-credentials' });
  });
});

describe('a forgotten password', () => {
  it('is asked for by mail, and set with the token', async () => {
    const mailing = await startTestApp({ env: factoriesEnv });
    try {
      const { auth } = createClient({ baseUrl: await mailing.listen() });
      expect(await auth.requestPasswordReset('robin@example.com')).toEqual({ status: 'accepted' });
      const token = await createFactories(mailing).accountToken();
      expect(await auth.setPassword(token, 'five other random words')).toBeUndefined();
      const again = auth.setPassword(token, 'five other random words');
      await expect(again).rejects.toMatchObject({ code: 'not-found' });
    } finally {
      await mailing.close();
    }
  });

  it('stays forgotten on a server that sends no mail', async () => {
    const asking = createClient({ baseUrl }).auth.requestPasswordReset('robin@example.com');
    await expect(asking).rejects.toMatchObject({ status: 409, code: 'mail-off' });
  });
});
