import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask, startWithFakeAi, type AppWithFakeAi } from '../../server/test/asking.ts';
import type { FakeReply } from '../../server/test/fake-ai.ts';
import { createRandom } from '../../server/test/random.ts';
import { createClient, type AnswerPart } from '../src/client.ts';
import { startCuttingProxy } from './cutting-proxy.ts';

const cutsMax = 60;
const seed = 20_261_122;
const tokenMs = 10;
/** Sixty connections in a row, on a machine that may have other work. */
const timeoutMs = 120_000;

let app: AppWithFakeAi['app'];
let fake: AppWithFakeAi['fake'];
let baseUrl: string;

beforeAll(async () => {
  ({ app, fake } = await startWithFakeAi({ AI_TOTAL_MS: String(timeoutMs) }));
  baseUrl = await app.listen();
});

afterAll(async () => {
  await app.close();
  await fake.close();
});

/** A word for a number, each another one: a gap or a repetition in a text of them shows. */
const wordOf = (n: number): string =>
  [...n.toString(20)].map((digit) => String.fromCharCode(97 + parseInt(digit, 20))).join('');

/** A model that writes one word after the other, from `begin` until `isEnough`. */
const wordsUntil =
  (begin: Promise<void>, isEnough: () => boolean): FakeReply =>
  async ({ beginFrames, textFrame, finishFrame, doneFrame, sleep, write, writeAll }) => {
    await writeAll(beginFrames('ANSWER\n'));
    await begin;
    for (let n = 0; !isEnough(); n += 1) {
      await write(textFrame(`${wordOf(n)} `));
      await sleep(tokenMs);
    }
    await writeAll([textFrame('[1]'), finishFrame(), doneFrame]);
  };

it(
  `an answer that is cut ${cutsMax} times arrives whole, each piece of it once`,
  { timeout: timeoutMs },
  async () => {
    const random = createRandom(seed);
    let cutsLeft = cutsMax;
    const proxy = await startCuttingProxy({
      upstream: baseUrl,
      // Of a reply, 1,500 bytes come before its text: some cuts fall there, most inside the text.
      nextCutBytes: () => (cutsLeft-- > 0 ? 1_300 + Math.floor(random() * 1_800) : undefined),
      // A reader waits as long as the server asks for: a hundredth of that will do here.
      edit: (bytes) =>
        Buffer.from(bytes.toString('latin1').replace('retry: 2000', 'retry: 0020'), 'latin1'),
    });
    const { promise: reading, resolve: begin } = Promise.withResolvers<void>();
    fake.script(wordsUntil(reading, () => proxy.cuts() === cutsMax));
    const customer = await app.as('customer');
    const { id } = await ask(customer);
    const { answers } = createClient({ baseUrl: proxy.url, token: customer.token });

    const parts: AnswerPart[] = [];
    const cutsBeforeText = new Set<number>();
    let text = '';
    for await (const part of answers.stream(id)) {
      begin();
      parts.push(part);
      if (part.type !== 'text-delta') continue;
      text += part.delta;
      cutsBeforeText.add(proxy.cuts());
    }
    await proxy.close();

    const { body } = await customer.get(`/api/v1/tickets/${id}`);
    const [, message] = body.messages;
    expect(message).toMatchObject({ author: { type: 'assistant' }, answer_state: 'completed' });
    expect(text).toBe(message.content);
    // Behind the citation stands the offer of a person: no passage supports such words.
    const words = (text.split(' [1]')[0] ?? '').split(' ');
    expect(words).toEqual(words.map((_word, n) => wordOf(n)));
    expect(proxy.cuts()).toBe(cutsMax);
    // Behind most cuts the text went on, so they were inside of it.
    expect(cutsBeforeText.size).toBeGreaterThan(cutsMax / 2);
    // Every other part came once, the beginning of the text among them.
    const others = parts
      .filter(({ type }) => type !== 'text-delta')
      .map((part) => JSON.stringify(part));
    expect(new Set(others).size).toBe(others.length);
    expect(parts.at(-1)?.type).toBe('finish');
  },
);
