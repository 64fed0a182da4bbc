import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, settled, startWithFakeAi, type AppWithFakeAi } from '../../../test/asking.ts';
import { parseStream } from '../../../test/read-stream.ts';

let app: AppWithFakeAi['app'];
let fake: AppWithFakeAi['fake'];
let base: string;
beforeAll(async () => {
  ({ app, fake } = await startWithFakeAi({ STREAM_RECHECK_MS: '50' }));
  base = await app.listen();
});
afterAll(async () => {
  await app.close();
  await fake.close();
});

test('a stream ends with its session, and goes on with the next one', async () => {
  const customer = await app.as('customer');
  const hold = fake.hold();
  const { id } = await ask(customer);
  await hold.step(6);
  const url = `/api/v1/tickets/${id}/ai-response`;
  const reading = fetch(base + url, { headers: { authorization: `Bearer ${customer.token}` } });
  const reply = await reading;
  expect((await customer.post('/api/v1/auth/logout', {})).status).toBe(204);
  const { text, lastId = '', done } = parseStream(await reply.text());
  expect(text).not.toBe('');
  expect(done).toBe(false);
  hold.release();

  const login = await app.anonymous.post('/api/v1/auth/login', {
    email: customer.user.email,
    password: 'correct horse battery',
  });
  const token = login.body.access_token as string;
  const rest = await fetch(base + url, {
    headers: { authorization: `Bearer ${token}`, 'last-event-id': lastId },
  });
  const resumed = parseStream(await rest.text(), text);
  expect(resumed.types).not.toContain('text-start');
  const admin = await app.as('admin');
  const ticket = await settled(admin, id);
  expect(resumed.text).toBe(ticket.messages.at(-1).content);
});

test('staff see what an answer is made of, customers do not', async () => {
  const customer = await app.as('customer');
  const agent = await app.as('agent');
  const { id, answerId } = await ask(customer);
  await settled(customer, id);
  const streams = await Promise.all(
    [customer, agent].map(({ get }) => get(`/api/v1/answers/${answerId}/events`)),
  );
  const [theirs, ours] = streams.map(({ body }) => parseStream(body));
  expect(ours?.text).toBe(theirs?.text);
  const metadata = (stream: typeof ours) =>
    stream?.frames.find(({ part }) => part['type'] === 'message-metadata')?.part['messageMetadata'];
  expect(metadata(ours)).toMatchObject({
    provider: 'groq',
    usage: { inputTokens: expect.any(Number) },
  });
  expect(Object.keys(metadata(theirs))).toEqual([
    'ticketId',
    'answerId',
    'mode',
    'state',
    'verdict',
  ]);
  const scores = (stream: typeof ours) =>
    JSON.stringify(stream?.frames.find(({ part }) => part['type'] === 'data-sources')).includes(
      'score',
    );
  expect([scores(ours), scores(theirs)]).toEqual([true, false]);
  expect((await agent.get(`/api/v1/answers/${answerId}`)).body.usage.model).toBe('fake/answer');
  expect((await customer.get(`/api/v1/answers/${answerId}`)).body.usage).toBeUndefined();
});
