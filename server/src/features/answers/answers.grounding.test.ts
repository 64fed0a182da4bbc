import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { answersOf, ask, settled, startWithFakeAi } from '../../../test/asking.ts';
import type { FakeAi } from '../../../test/fake-ai.ts';
import { startTestApp, type TestApp, type TestClient } from '../../../test/harness.ts';
import type { Json } from '../../../test/reply.ts';
import { defaultSettings } from '../settings/settings.defaults.ts';

const { lines } = defaultSettings;
const asks = (
  app: TestApp,
  text: string,
): Promise<{ ticket: Json; answer: Json; customer: TestClient }> =>
  app.as('customer').then(async (customer) => {
    const { id } = await ask(customer, text);
    const ticket = await settled(customer, id);
    return { ticket, answer: (await answersOf(app, id))[0], customer };
  });

describe('with a model', () => {
  let app: TestApp;
  let fake: FakeAi;
  let agent: TestClient;
  let admin: TestClient;
  beforeAll(async () => {
    ({ app, fake } = await startWithFakeAi({ AI_PRICES: 'groq:fake/answer=0.50/2.00' }));
    agent = await app.as('agent');
    admin = await app.as('admin');
  });
  afterAll(async () => {
    await app.close();
    await fake.close();
  });
  beforeEach(() => fake.reset());

  test('the trace tells staff what was searched, found, sent, cited and decided, and the cost', async () => {
    const { answer, customer } = await asks(app, 'How long may I return? I am jo@example.org');
    const trace = await agent.get(`/api/v1/answers/${answer.id}/trace`);
    expect(trace.status).toBe(200);
    expect(trace.body).toMatchObject({
      decision: 'model: ANSWER',
      redactions: { email: 1 },
      found: [{ sent: true, cited: true }],
      evidence: { threshold: 0 },
      provider: 'groq',
      model: 'fake/answer',
      input_tokens: 120,
      output_tokens: 30,
      cost: (120 * 0.5 + 30 * 2) / 1_000_000,
      needs_review: false,
    });
    expect(JSON.stringify(trace.body.searched)).not.toContain('jo@example.org');
    expect((await customer.get(`/api/v1/answers/${answer.id}/trace`)).status).toBe(403);
  });

  test('personal data does not reach the provider, and comes back to whom it belongs', async () => {
    fake.script(({ writeAll, answerFrames, request }) => {
      const [placeholder] = /<EMAIL_\d+>/.exec(JSON.stringify(request.body)) ?? [];
      return writeAll(answerFrames(`ANSWER\nWe keep ${placeholder} on file. [1]`));
    });
    const { ticket } = await asks(
      app,
      'Which address do you have? Mine is jo@example.org, returns?',
    );
    expect(JSON.stringify(fake.requests)).not.toContain('jo@example.org');
    expect(ticket.messages[1].content).toContain('We keep jo@example.org on file. [1]');
  });

  test('a hand-over gives the agent a packet, which the customer does not see', async () => {
    const { ticket } = await asks(app, 'I want to talk to a human about my returns');
    const seen = (await agent.get(`/api/v1/tickets/${ticket.id}`)).body;
    const packet = seen.messages.at(-1);
    expect(packet).toMatchObject({ visibility: 'internal', author: { type: 'system' } });
    expect(packet.content).toContain('the customer asked for a person');
    expect(packet.content).toContain('> I want to talk to a human about my returns');
    expect(JSON.stringify(ticket)).not.toContain('Handed over');
  });

  test('what the model finds no answer for is a gap, and a reply to it becomes a draft', async () => {
    fake.script('no-answer');
    const first = await asks(app, 'Do you repair the zip of a tent after returns?');
    fake.script('no-answer');
    const second = await asks(app, 'Can you repair a tent zip, for returns?');
    const reply = await agent.post(`/api/v1/tickets/${first.ticket.id}/messages`, {
      content: 'Yes: send it to our workshop, a new zip is free for two years.',
    });
    const { body } = await agent.get('/api/v1/knowledge/gaps');
    expect(body.data[0]).toMatchObject({ count: 2, question: expect.stringContaining('zip') });
    expect(body.data[0].examples.map((one: Json) => one.ticket_id)).toEqual([
      second.ticket.id,
      first.ticket.id,
    ]);
    const { id } = body.data[0];
    const unknown = await agent.post(`/api/v1/knowledge/gaps/${id}/article`, {
      message_id: first.ticket.messages[0].id,
    });
    expect(unknown.status).toBe(404);
    const draft = await agent.post(`/api/v1/knowledge/gaps/${id}/article`, {
      message_id: reply.body.message.id,
      title: 'Do you repair zips?',
    });
    expect(draft).toMatchObject({
      status: 201,
      body: {
        status: 'draft',
        title: 'Do you repair zips?',
        body: expect.stringContaining('workshop'),
      },
    });
    const left = (await agent.get('/api/v1/knowledge/gaps')).body.data.map((gap: Json) => gap.id);
    expect(left).not.toContain(id);
    await admin.delete(`/api/v1/articles/${draft.body.id}`);
    const reopened = (await agent.get('/api/v1/knowledge/gaps')).body.data;
    expect(reopened.map((gap: Json) => gap.id)).toContain(id);
  });

  /** What the model was asked last, without what came before the question. */
  const lastQuestion = () => fake.requests.at(-1)?.body.messages?.at(-1)?.content ?? '';

  test('a retry answers the same question again, and not all that was ever asked', async () => {
    const { ticket, customer } = await asks(app, 'How long may I keep returns?');
    fake.script('bad-request');
    const url = `/api/v1/tickets/${ticket.id}`;
    await customer.post(`${url}/messages`, { content: 'And returns of hats?' });
    expect((await settled(customer, ticket.id)).handoff).toMatchObject({ reason: 'ai-failed' });
    await customer.post(`${url}/answers`, {});
    await settled(customer, ticket.id);
    expect(lastQuestion()).toContain('And returns of hats?');
    expect(lastQuestion()).not.toContain('How long may I keep returns?');
  });

  test('what a person has replied to is not answered again when the assistant is back', async () => {
    const { ticket, customer } = await asks(app, 'I want a human, my returns are lost');
    const url = `/api/v1/tickets/${ticket.id}`;
    await customer.post(`${url}/messages`, { content: 'My lawyer will write to you!' });
    await agent.post(`${url}/messages`, { content: 'I am sorry. Here is a new label.' });
    await agent.patch(url, { assistant: 'active' });
    fake.reset();
    expect((await customer.get(`${url}/ai-response`)).status).toBe(204);
    expect(fake.requests).toHaveLength(0);
    await customer.post(`${url}/messages`, { content: 'Thanks. How long do returns take?' });
    expect((await settled(customer, ticket.id)).handoff).toBeNull();
    expect(lastQuestion()).toContain('How long do returns take?');
    expect(lastQuestion()).not.toContain('lawyer');
    expect(JSON.stringify(fake.requests.at(-1)?.body.messages)).toContain('Here is a new label.');
  });

  test('greetings and thanks need no model', async () => {
    const customer = await app.as('customer');
    const { body } = await customer.post('/api/v1/tickets', { title: 'Hello', description: 'hi!' });
    const ticket = await settled(customer, body.id);
    expect(ticket.messages[1].content).toBe(lines.greeting);
    await customer.post(`/api/v1/tickets/${body.id}/messages`, { content: 'Thank you so much!' });
    expect((await settled(customer, body.id)).messages.at(-1).content).toBe(lines.thanks);
    expect(fake.requests).toHaveLength(0);
  });

  test('an answer that its passages do not support is marked, and offers a person', async () => {
    fake.script(({ writeAll, answerFrames }) =>
      writeAll(
        answerFrames(
          'ANSWER\nPenguins in Antarctica prefer krill over squid during the long winter. [1]',
        ),
      ),
    );
    const { ticket, answer, customer } = await asks(app, 'What about returns?');
    expect(answer).toMatchObject({ needs_review: true, handoff_mode: 'offer' });
    expect(ticket.messages[1].content.endsWith(lines.offer)).toBe(true);
    await customer.post(`/api/v1/tickets/${ticket.id}/messages`, { content: 'Yes please' });
    const handed = await settled(customer, ticket.id);
    expect(handed.handoff).toMatchObject({ reason: 'accepted-offer' });
  });

  test('the settings reach the next answer: guidance, lines, threshold', async () => {
    const changed = await admin.patch('/api/v1/settings', {
      guidance: 'Call every customer Captain.',
      lines: { handed_off: 'A colleague takes over.' },
    });
    expect(changed).toMatchObject({ status: 200, headers: { etag: '"3"' } });
    await asks(app, 'And returns?');
    expect(fake.requests.at(-1)?.body.messages?.[0]?.content).toContain('Captain');
    const { ticket } = await asks(app, 'Give me a real person');
    expect(ticket.messages[1].content).toBe('A colleague takes over.');
    const stale = await admin.patch('/api/v1/settings', { guidance: '' }, { 'if-match': '"1"' });
    expect(stale).toMatchObject({ status: 412, headers: { etag: '"3"' } });
    await admin.patch('/api/v1/settings', { answer_threshold: 1 });
    fake.reset();
    const customer = await app.as('customer');
    const weak = 'zeppelin xylophone balloon quartz trombone saxophone kettle indoors';
    const { id } = await ask(customer, weak, 'Zeppelin');
    const silent = await settled(customer, id);
    expect(silent.messages[1].content).toBe(lines.no_answer);
    expect(fake.requests).toHaveLength(0);
    await admin.patch('/api/v1/settings', { answer_threshold: 0, guidance: '' });
  });
});

describe('a budget', () => {
  test.each([
    ['answers', { AI_ANSWERS_PER_DAY: '2' }],
    ['tokens', { AI_TOKENS_PER_DAY: '300' }],
    ['cost', { AI_COST_PER_DAY: '0.0002', AI_PRICES: 'groq:fake/answer=0.50/2.00' }],
  ])('of %s, used up, hands over, and is each customer’s own', async (what, env) => {
    const { app, fake } = await startWithFakeAi(env);
    try {
      const customer = await app.as('customer');
      for (let n = 0; n < 2; n += 1) {
        const { id } = await ask(customer);
        expect((await settled(customer, id)).handoff).toBeNull();
      }
      const { id } = await ask(customer);
      expect((await settled(customer, id)).handoff).toMatchObject({ reason: 'budget' });
      expect((await answersOf(app, id))[0]?.trace).toMatchObject({ decision: `budget: ${what}` });
      expect(fake.requests).toHaveLength(2);
      expect((await asks(app, 'How long do I have to return shoes?')).ticket.handoff).toBeNull();
    } finally {
      await app.close();
      await fake.close();
    }
  });
});

test('without the assistant everything else works', async () => {
  const app = await startTestApp({ env: { AI_ENABLED: 'false' } });
  try {
    await app.publish();
    const customer = await app.as('customer');
    const agent = await app.as('agent');
    const created = await customer.post('/api/v1/tickets', {
      title: 'Returns',
      description: 'How long do I have?',
    });
    expect(created).toMatchObject({ status: 201, body: { answer: null } });
    const url = `/api/v1/tickets/${created.body.id}`;
    expect((await customer.post(`${url}/messages`, { content: 'Hello?' })).status).toBe(201);
    expect((await agent.post(`${url}/messages`, { content: 'Thirty days.' })).status).toBe(201);
    expect((await customer.get('/api/v1/articles/search?q=returns')).body.data).not.toEqual([]);
    expect(await customer.get(`${url}/ai-response`)).toMatchObject({
      status: 409,
      body: { code: 'assistant-off' },
    });
  } finally {
    await app.close();
  }
});
