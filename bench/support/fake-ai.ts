import { startFakeAi, type FakeReply } from '../../server/test/fake-ai.ts';
import { stampNow } from './stamp.ts';
import { answerQuestions } from './worker.ts';

/*
 * The tests' fake AI in a process of its own. It talks at a steady pace until it is told to end, and
 * each piece of text is the time at which it was written.
 */

export type FakeAiAsk =
  | { do: 'start' }
  /** The next `answers` completions talk with `intervalMs` between their pieces. */
  | { do: 'expect'; answers: number; intervalMs: number }
  /** All that talk come to their end. */
  | { do: 'end' };

const fake = await startFakeAi();
let talks = 0;

const talking =
  (intervalMs: number): FakeReply =>
  async ({ writeAll, write, sleep, beginFrames, textFrame, finishFrame, doneFrame }) => {
    const talk = talks;
    await writeAll(beginFrames('ANSWER\n'));
    const startedAt = performance.now();
    for (let piece = 1; talk === talks; piece += 1) {
      // Measured from the start, so that the pace holds however late a single timer is.
      const waitMs = startedAt + piece * intervalMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      // With the space behind it: a word can be released when it is known to be over.
      await write(textFrame(`${stampNow()} `));
    }
    await writeAll([textFrame('.'), finishFrame(), doneFrame]);
  };

answerQuestions<FakeAiAsk, string>((ask) => {
  if (ask.do === 'expect') {
    fake.reset();
    fake.script(...Array.from({ length: ask.answers }, () => talking(ask.intervalMs)));
  }
  if (ask.do === 'end') talks += 1;
  return fake.url;
});
