import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, startWithFakeAi, type AppWithFakeAi } from '../../../test/asking.ts';
import { createRandom } from '../../../test/random.ts';
import type { TestClient } from '../../../test/harness.ts';
import { parseStream, readUntil } from '../../../test/read-stream.ts';
import type { Json } from '../../../test/reply.ts';

const moments = 200;
const atOnce = 20;
/** About what the fake writes. */
const answerLength = 200;
const seed = 20261122;

let app: AppWithFakeAi['app'];
let fake: AppWithFakeAi['fake'];
let agent: TestClient;
let base: string;
beforeAll(async () => {
  ({ app, fake } = await startWithFakeAi({
    AI_MODEL: 'fake/pace?tokens=40&delay=10',
    STREAMS_PER_USER_MAX: '1000',
  }));
  agent = await app.as('agent');
  base = await app.listen();
});
afterAll(async () => {
  await app.close();
  await fake.close();
});

test(`an agent's reply at ${moments} random moments is never followed by the assistant`, async () => {
  const random = createRandom(seed);
  const customer = await app.as('customer');
  const ends = new Map<string, number>();

  /** Half of the moments are chosen by time, half by how much of the answer the customer has seen. */
  async function replyAtRandomMoment(moment: number): Promise<void> {
    const { id } = await ask(customer);
    const url = `${base}/api/v1/tickets/${id}/ai-response`;
    const waitFor = moment < 0.5 ? Infinity : (moment - 0.5) * 2 * answerLength;
    const reading = readUntil(url, {
      token: customer.token,
      stop: (body) => parseStream(body).text.length > waitFor,
    });
    if (moment < 0.5) await new Promise((resolve) => setTimeout(resolve, moment * 600));
    else await reading;
    const reply = await agent.post(`/api/v1/tickets/${id}/messages`, { content: 'A person here.' });
    expect(reply.status).toBe(201);
    const shown = parseStream((await reading).body).text;
    const { body: ticket } = await customer.get(`/api/v1/tickets/${id}`);
    const authors = ticket.messages.map((message: Json) => message.author.type);
    expect(authors.at(-1)).toBe('agent');
    expect(ticket).toMatchObject({ answer: null, assistant: 'paused' });
    // What the customer saw stands, to the letter, before the person's reply.
    const saved = ticket.messages.find((message: Json) => message.author.type === 'assistant');
    const content: string = saved?.content ?? '';
    if (moment < 0.5) expect(content).toBe(shown);
    else expect(content.startsWith(shown)).toBe(true);
    const end = saved?.answer_state ?? 'nothing shown';
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }

  for (let done = 0; done < moments; done += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, random).map(replyAtRandomMoment));
  }
  // The moments were spread: before, within and after the answer.
  expect(ends.get('superseded') ?? 0).toBeGreaterThan(moments / 10);
});
