import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ask,
  fakeAiEnv,
  settled,
  startWithFakeAi,
  type AppWithFakeAi,
} from '../../../test/asking.ts';
import { startTestApp } from '../../../test/harness.ts';
import { createRandom } from '../../../test/random.ts';
import { parseStream, readUntil } from '../../../test/read-stream.ts';

const cuts = 200;
const readersAtOnce = 20;
const seed = 7;

let first: AppWithFakeAi['app'];
let fake: AppWithFakeAi['fake'];
let second: AppWithFakeAi['app'];
const env = { AI_MODEL: 'fake/pace?tokens=60&delay=8', STREAMS_PER_USER_MAX: '1000' };

beforeAll(async () => {
  ({ app: first, fake } = await startWithFakeAi(env));
  // On the embedded database the second instance shares the process, as no other process may come in.
  second = await startTestApp({
    env: { ...fakeAiEnv(fake), ...env },
    sharing: first.testDatabase,
  });
});
afterAll(async () => {
  await second.close();
  await first.close();
  await fake.close();
});

test(`readers cut at ${cuts} random points and resumed, half of them elsewhere, have the same text`, async () => {
  const random = createRandom(seed);
  const customer = await first.as('customer');
  // Two instances hear of each other over PostgreSQL; the embedded database has only one.
  const bases = [await first.listen(), first.databaseUrl ? await second.listen() : ''];
  let resumed = 0;

  async function readInPieces(ticketId: string, where: number): Promise<string> {
    let text = '';
    let lastEventId: string | undefined;
    for (let piece = 0; piece < 20; piece += 1) {
      const base = bases[(where + piece) % 2] || bases[0];
      const cutAfter = piece < 2 ? Math.floor(random() * 1_500) + 200 : Infinity;
      const { body } = await readUntil(`${base}/api/v1/tickets/${ticketId}/ai-response`, {
        token: customer.token,
        lastEventId,
        stop: (received) => received.length >= cutAfter,
      });
      // A frame that was cut in the middle was not received.
      const whole = body.slice(0, body.lastIndexOf('\n\n') + 2);
      const read = parseStream(whole, text);
      text = read.text;
      lastEventId = read.lastId ?? lastEventId;
      if (read.done) return text;
      resumed += 1;
    }
    throw new Error('the stream did not end');
  }

  while (resumed < cuts) {
    const { id } = await ask(customer);
    const readers = Array.from({ length: readersAtOnce }, (_, at) => readInPieces(id, at));
    const texts = await Promise.all(readers);
    const ticket = await settled(customer, id);
    const saved = ticket.messages.at(-1).content;
    expect(saved.length).toBeGreaterThan(100);
    for (const text of texts) expect(text).toBe(saved);
  }
});
