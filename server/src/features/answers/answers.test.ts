import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  answersOf,
  ask,
  fakeAiEnv,
  settled,
  startWithFakeAi,
  type AppWithFakeAi,
} from '../../../test/asking.ts';
import type { FakeAi } from '../../../test/fake-ai.ts';
import { startTestApp, until, type TestApp, type TestClient } from '../../../test/harness.ts';
import { parseStream } from '../../../test/read-stream.ts';
import type { Json } from '../../../test/reply.ts';
import { defaultSettings } from '../settings/settings.defaults.ts';
import { lines } from './answers.lines.ts';

const url = (ticketId: string) => `/api/v1/tickets/${ticketId}/ai-response`;

describe('without a key', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
    await app.publish();
  });
  afterAll(() => app.close());

  test('the saved message is byte-equal to what was streamed, and cites its article', async () => {
    const customer = await app.as('customer');
    const { id } = await ask(customer);
    const stream = parseStream((await customer.get(url(id))).body);
    const ticket = await settled(customer, id);
    expect(stream.done).toBe(true);
    expect(stream.text).toContain('30 days');
    expect(ticket.messages.map((message: Json) => message.author.type)).toEqual([
      'customer',
      'assistant',
    ]);
    expect(ticket.messages[1].content).toBe(stream.text);
    expect(ticket.messages[1].citations).toMatchObject([{ n: 1 }]);
    expect(ticket.status).toBe('pending');
  });

  test('a question without evidence is offered a person, and handed over the second time', async () => {
    const customer = await app.as('customer');
    const other = await customer.post('/api/v1/tickets', {
      title: 'Zeppelin',
      description: 'xylophone quux?',
    });
    const offered = await settled(customer, other.body.id);
    expect(offered.messages[1].content).toBe(defaultSettings.lines.no_answer);
    expect(offered).toMatchObject({ status: 'pending', assistant: 'active', handoff: null });
    await customer.post(`/api/v1/tickets/${other.body.id}/messages`, { content: 'quux zeppelin' });
    const handed = await settled(customer, other.body.id);
    expect(handed).toMatchObject({
      status: 'open',
      assistant: 'paused',
      handoff: { reason: 'no-answer' },
    });
  });

  test('asking for a person hands over without a model', async () => {
    const customer = await app.as('customer');
    const { id } = await ask(customer, 'I want to talk to a human please');
    const ticket = await settled(customer, id);
    expect(ticket.handoff).toMatchObject({ reason: 'requested' });
    expect(ticket.messages[1].content).toBe(defaultSettings.lines.handed_off);
    const reply = await customer.post(`/api/v1/tickets/${id}/messages`, { content: 'Hello?' });
    expect(reply).toMatchObject({ status: 201, body: { answer: null } });
    const stream = await customer.post(
      `/api/v1/tickets/${id}/messages`,
      { content: 'Anybody?' },
      { accept: 'text/event-stream' },
    );
    expect(stream.status).toBe(201);
    expect(parseStream(stream.body).types).toEqual(['start', 'data-handoff', 'finish']);
    expect(parseStream(stream.body).done).toBe(true);
  });
});

describe('with a model', () => {
  let app: AppWithFakeAi['app'];
  let fake: FakeAi;
  let customer: TestClient;
  beforeAll(async () => {
    ({ app, fake } = await startWithFakeAi());
  });
  afterAll(async () => {
    await app.close();
    await fake.close();
  });
  beforeEach(async () => {
    fake.reset();
    customer = await app.as('customer');
  });

  test('the saved message is byte-equal to what was streamed, and the verdict is not shown', async () => {
    const { id } = await ask(customer);
    const stream = parseStream((await customer.get(url(id))).body);
    const ticket = await settled(customer, id);
    expect(ticket.messages[1].content).toBe(stream.text);
    expect(stream.text).toBe('You have 30 days from delivery to return an item. [1]');
    expect(stream.types).toContain('data-citation');
  });

  test('one request can ask and stream', async () => {
    const { id } = await ask(customer);
    await settled(customer, id);
    const reply = await customer.post(
      `/api/v1/tickets/${id}/messages`,
      { content: 'And for shoes?' },
      { accept: 'text/event-stream' },
    );
    expect(reply.status).toBe(201);
    expect(reply.headers).toMatchObject({
      'x-vercel-ai-ui-message-stream': 'v1',
      location: `/api/v1/tickets/${id}/messages`,
    });
    const stream = parseStream(reply.body);
    expect(stream.types.at(0)).toBe('start');
    expect(stream.types.at(-1)).toBe('finish');
    const ticket = await settled(customer, id);
    expect(ticket.messages.at(-1).content).toBe(stream.text);
  });

  test('five messages in a second get one answer whose prompt holds all five', async () => {
    const hold = fake.hold();
    const { id } = await ask(customer, 'message number one');
    await fake.received(1);
    for (const n of ['two', 'three', 'four', 'five']) {
      await customer.post(`/api/v1/tickets/${id}/messages`, { content: `message number ${n}` });
    }
    hold.release();
    const ticket = await settled(customer, id);
    expect(await answersOf(app, id)).toHaveLength(1);
    expect(ticket.messages.map((message: Json) => message.author.type)).toEqual([
      'customer',
      'customer',
      'customer',
      'customer',
      'customer',
      'assistant',
    ]);
    const prompt = JSON.stringify(fake.requests.at(-1)?.body);
    for (const n of ['one', 'two', 'three', 'four', 'five']) {
      expect(prompt).toContain(`message number ${n}`);
    }
  });

  test('a message that comes while text is shown waits, and gets the next answer', async () => {
    const hold = fake.hold();
    const { id } = await ask(customer);
    await hold.step(6);
    await until('some text to be shown', async () => (await answersOf(app, id))[0]?.text);
    const second = await customer.post(`/api/v1/tickets/${id}/messages`, { content: 'And hats?' });
    const third = await customer.post(`/api/v1/tickets/${id}/messages`, { content: 'And socks?' });
    expect(second.body.answer.state).toBe('queued');
    expect(third.body.answer.id).toBe(second.body.answer.id);
    hold.release();
    const ticket = await settled(customer, id);
    expect(ticket.messages.map((message: Json) => message.author.type)).toEqual([
      'customer',
      'customer',
      'customer',
      'assistant',
      'assistant',
    ]);
    const prompt = fake.requests.at(-1)?.body.messages?.at(-1)?.content ?? '';
    expect(prompt).toContain('And hats?');
    expect(prompt).toContain('And socks?');
    expect(prompt).not.toContain('How long do I have to return shoes?');
  });

  test('Stop keeps what was shown, and only a live answer can be stopped', async () => {
    const hold = fake.hold();
    const { id, answerId } = await ask(customer);
    await hold.step(6);
    const shown = await until('text', async () => (await answersOf(app, id))[0]?.text);
    const stopped = await customer.post(`/api/v1/answers/${answerId}/cancel`, {});
    expect(stopped).toMatchObject({ status: 200, body: { state: 'cancelled' } });
    hold.release();
    const ticket = await settled(customer, id);
    expect(ticket.messages).toHaveLength(2);
    expect(ticket.messages[1]).toMatchObject({ answer_state: 'cancelled' });
    expect(ticket.messages[1].content.startsWith(shown)).toBe(true);
    expect(ticket).toMatchObject({ status: 'open', assistant: 'active', handoff: null });
    expect((await customer.post(`/api/v1/answers/${answerId}/cancel`, {})).status).toBe(409);
    const replay = parseStream((await customer.get(url(id))).body);
    expect(replay.types.at(-1)).toBe('abort');
    expect(replay.text).toBe(ticket.messages[1].content);
  });

  test('a failed answer reaches a person, and can be tried again until one comes', async () => {
    fake.script('bad-request');
    const { id } = await ask(customer);
    const failed = await settled(customer, id);
    expect(failed).toMatchObject({
      status: 'open',
      assistant: 'paused',
      handoff: { reason: 'ai-failed' },
    });
    expect(failed.messages[1]).toMatchObject({
      author: { type: 'system' },
      content: lines.failed,
      answer_state: 'failed',
    });
    expect(parseStream((await customer.get(url(id))).body).types.at(-1)).toBe('error');
    const retried = await customer.post(`/api/v1/tickets/${id}/answers`, {});
    expect(retried).toMatchObject({ status: 201, body: { state: expect.any(String) } });
    const ticket = await settled(customer, id);
    expect(ticket.messages.at(-1).content).toContain('30 days');
    expect(ticket).toMatchObject({ assistant: 'active', handoff: null });
    const again = await customer.post(`/api/v1/tickets/${id}/answers`, {});
    expect(again).toMatchObject({ status: 409, body: { code: 'answer-completed' } });
  });

  test('feedback is kept on the answer, once it has ended', async () => {
    const { id, answerId } = await ask(customer);
    await settled(customer, id);
    const rated = await customer.put(`/api/v1/answers/${answerId}/feedback`, {
      helpful: false,
      reason: 'incomplete',
    });
    expect(rated).toMatchObject({
      status: 200,
      body: { feedback: { helpful: false, reason: 'incomplete', comment: null } },
    });
  });

  describe('GET ai-response', () => {
    test('starts, joins and replays', async () => {
      const { id, answerId } = await ask(customer);
      await settled(customer, id);
      await app.db.deleteFrom('answers').where('id', '=', answerId).execute();
      const started = parseStream((await customer.get(url(id))).body);
      expect(started.text).toContain('30 days');
      const replay = parseStream((await customer.get(url(id))).body);
      expect(replay.text).toBe(started.text);
      expect(replay.lastId).toBe(started.lastId);
    });

    test('is 204 for a reader who has it all, and where nothing is live', async () => {
      const { id } = await ask(customer);
      const { lastId = '' } = parseStream((await customer.get(url(id))).body);
      expect(lastId).toMatch(/\.end$/);
      expect((await customer.get(url(id), { 'last-event-id': lastId })).status).toBe(204);
      await settled(customer, id);
      expect((await customer.get(`${url(id)}?live=true`)).status).toBe(204);
    });

    test('refuses a Last-Event-ID that is not one, and HEAD', async () => {
      const { id } = await ask(customer);
      const bad = await customer.get(url(id), { 'last-event-id': 'nonsense' });
      expect(bad).toMatchObject({ status: 400, body: { code: 'invalid-last-event-id' } });
      const head = await app.app.inject({
        method: 'HEAD',
        url: url(id),
        headers: { authorization: `Bearer ${customer.token}` },
      });
      expect(head.statusCode).toBe(405);
      expect(head.headers['allow']).toBe('GET');
    });

    test('is 409 while the assistant is paused or off, or the ticket is closed', async () => {
      const agent = await app.as('agent');
      const { id } = await ask(customer);
      await settled(customer, id);
      await agent.patch(`/api/v1/tickets/${id}`, { assistant: 'paused' });
      await customer.post(`/api/v1/tickets/${id}/messages`, { content: 'One more' });
      expect(await customer.get(url(id))).toMatchObject({
        status: 409,
        body: { code: 'assistant-paused' },
      });
      await agent.patch(`/api/v1/tickets/${id}`, { assistant: 'off' });
      expect((await customer.get(url(id))).body.code).toBe('assistant-off');
      await agent.patch(`/api/v1/tickets/${id}`, { status: 'closed' });
      expect((await customer.get(url(id))).body.code).toBe('ticket-closed');
    });

    test('refuses more streams than a user may have', async () => {
      const limited = await startTestApp({
        env: { STREAMS_PER_USER_MAX: '1', ...fakeAiEnv(fake) },
        sharing: app.testDatabase,
      });
      try {
        const hold = fake.hold();
        const { id } = await ask(customer);
        const token = { authorization: `Bearer ${customer.token}` };
        const base = await limited.listen();
        const leaving = new AbortController();
        const first = await fetch(base + url(id), { headers: token, signal: leaving.signal });
        expect(first.status).toBe(200);
        const second = await fetch(base + url(id), { headers: token });
        expect(second.status).toBe(429);
        expect(second.headers.get('retry-after')).toBe('5');
        leaving.abort();
        await first.text().catch(() => '');
        hold.release();
        const after = await until('room', async () => {
          const third = await fetch(base + url(id), { headers: token });
          return third.status === 200 && third.text();
        });
        expect(after).toContain('[DONE]');
      } finally {
        await limited.close();
      }
    });
  });
});
