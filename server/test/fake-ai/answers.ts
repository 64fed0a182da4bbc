import type { Exchange } from './exchange.ts';
import { completes, type Scenarios } from './scenario.ts';

const passagePattern = /<(kb-[\w-]+) n="1"(?:[^>"]|"[^"]*")*>([^]*?)<\/\1>/;

/** The first sentence of passage 1, taken from the last message that has passages. */
function firstSentence({ request }: Exchange): string | undefined {
  const contents = (request.body.messages ?? []).map(({ content }) => content);
  const passage = contents.map((content) => passagePattern.exec(content)?.[2]).findLast(Boolean);
  const lines = passage?.split('\n').map((line) => line.trim());
  // A line that does not end like a sentence is a heading.
  const sentences = lines?.map((line) => /^[^#].*?[.!?](?=\s|$)/.exec(line)?.[0]);
  return sentences?.find(Boolean) ?? lines?.find(Boolean);
}

function groundedAnswer(exchange: Exchange): string {
  const sentence = firstSentence(exchange);
  return sentence ? `ANSWER\n${sentence} [1]` : noAnswer;
}

const clarify = 'CLARIFY\nWhich of your orders do you mean?';
const noAnswer = 'NO_ANSWER\nI could not find this in our help articles.';
const handoff = 'HANDOFF:requested\nA colleague will take over.';
const withoutVerdict = 'Parcels go out on the day after the order.';

const paceWords = 'your parcel is on its way and the carrier brings it to the door'.split(' ');

function paceText(start: number, words: number): string {
  const numbers = Array.from({ length: words }, (_, offset) => start + offset);
  return numbers.map((n) => `${n === 0 ? '' : ' '}${paceWords[n % paceWords.length]}`).join('');
}

/** Whole answers: one for each verdict, and at a pace. */
export const answerScenarios: Scenarios = {
  answer: {
    about: 'the default: ANSWER and the first sentence of passage 1 with [1]; none: NO_ANSWER',
    expected: completes(),
    reply: (exchange) => exchange.writeAll(exchange.answerFrames(groundedAnswer(exchange))),
  },
  clarify: {
    about: 'CLARIFY and a question',
    expected: completes(clarify),
    reply: ({ writeAll, answerFrames }) => writeAll(answerFrames(clarify)),
  },
  'no-answer': {
    about: 'NO_ANSWER and a sentence',
    expected: completes(noAnswer),
    reply: ({ writeAll, answerFrames }) => writeAll(answerFrames(noAnswer)),
  },
  handoff: {
    about: 'HANDOFF:requested and a sentence',
    expected: completes(handoff),
    reply: ({ writeAll, answerFrames }) => writeAll(answerFrames(handoff)),
  },
  'no-verdict': {
    about: 'an answer without a verdict line',
    expected: completes(withoutVerdict),
    reply: ({ writeAll, answerFrames }) => writeAll(answerFrames(withoutVerdict)),
  },
  slow: {
    about: 'the default answer, `delay` ms (50) before each frame',
    expected: completes(),
    reply: async (exchange) => {
      for (const frame of exchange.answerFrames(groundedAnswer(exchange))) {
        await exchange.sleep(exchange.number('delay', 50));
        await exchange.write(frame);
      }
    },
  },
  pace: {
    about: 'for benchmarks: `tokens` deltas (200) of `words` words (1), one every `delay` ms (0)',
    expected: completes(),
    reply: async (exchange) => {
      const { number, write, textFrame } = exchange;
      const [tokens, words, delayMs] = [
        number('tokens', 200),
        number('words', 1),
        number('delay', 0),
      ];
      await exchange.writeAll(exchange.beginFrames('ANSWER\n'));
      const startedAt = performance.now();
      for (let token = 0; token < tokens; token += 1) {
        // Measured from the start, so that the pace holds however late a single timer is.
        const waitMs = startedAt + (token + 1) * delayMs - performance.now();
        if (waitMs > 0) await exchange.sleep(waitMs);
        await write(textFrame(paceText(token * words, words)));
      }
      const lastWords = firstSentence(exchange) ? '. [1]' : '.';
      await exchange.writeAll([textFrame(lastWords), exchange.finishFrame(), exchange.doneFrame]);
    },
  },
};
