import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseStream } from '../../../test/read-stream.ts';
import { createGuard } from './answers.guard.ts';
import { buildPrompt, createVerdictReader, searchText } from './answers.prompt.ts';
import { redact } from './answers.redaction.ts';
import type { Turn } from './answers.repository.ts';
import { matchRule } from './answers.rules.ts';
import { answerFrames, parsePosition } from './answers.stream.ts';
import type { Tail } from './answers.tails.ts';
import { extractiveAnswer } from './answers.extractive.ts';

/** A text and the places where a stream happens to cut it. */
const chunked = (text: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
  fc.tuple(text, fc.array(fc.nat(200), { maxLength: 12 })).map(([whole, cuts]) => {
    const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length];
    const sorted = places.sort((one, other) => one - other);
    return sorted.slice(1).map((end, at) => whole.slice(sorted[at], end));
  });

const through = (reader: { push(text: string): string; end(): string }, chunks: string[]): string =>
  chunks.map((chunk) => reader.push(chunk)).join('') + reader.end();

const text = fc
  .array(
    fc.constantFrom(
      '[1]',
      '[2]',
      '[9]',
      '[12[9]',
      ']',
      '[',
      ']',
      '1',
      ' ',
      '\n',
      'word',
      '.',
      '[12',
      '😀',
    ),
  )
  .map((pieces) => pieces.join(''));

describe('the guard', () => {
  test('releases the same text however its input is cut', () => {
    fc.assert(
      fc.property(chunked(text), (chunks) => {
        expect(through(createGuard(2), chunks)).toBe(through(createGuard(2), [chunks.join('')]));
      }),
    );
  });

  test('never shows a citation of a passage that was not given', () => {
    fc.assert(
      fc.property(chunked(text), (chunks) => {
        const shown = through(createGuard(2), chunks);
        const numbers = [...shown.matchAll(/\[(\d{1,3})\]/g)].map(([, n]) => Number(n));
        expect(numbers.filter((n) => n < 1 || n > 2)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('names what was cited, in order, once', () => {
    const guard = createGuard(3);
    expect(through(guard, ['A [2]. B [1', ']. C [2] [7].'])).toBe('A [2]. B [1]. C [2].');
    expect(guard.cited()).toEqual([2, 1]);
  });
});

describe('the verdict line', () => {
  const read = (chunks: string[]) => {
    const reader = createVerdictReader();
    const shown = through(reader, chunks);
    return { shown, ...reader.line };
  };

  test.each([
    ['ANSWER\nYes.', 'ANSWER', 'Yes.'],
    ['\n ANSWER \nYes.', 'ANSWER', 'Yes.'],
    ['**CLARIFY**\nWhich one?', 'CLARIFY', 'Which one?'],
    ['NO_ANSWER', 'NO_ANSWER', ''],
    ['No verdict here.\nMore.', 'ANSWER', 'No verdict here.\nMore.'],
    [
      'ANSWERS are long and this line has more',
      'ANSWER',
      'ANSWERS are long and this line has more',
    ],
  ])('%j is %s', (input, verdict, shown) => {
    expect(read([input])).toMatchObject({ verdict, shown });
  });

  test('a hand-over carries its reason, and an unknown reason counts as requested', () => {
    expect(read(['HANDOFF:legal\nx'])).toMatchObject({ verdict: 'HANDOFF', reason: 'legal' });
    expect(read(['HANDOFF: whim\n'])).toMatchObject({ verdict: 'HANDOFF', reason: 'requested' });
  });

  test('is the same however the stream is cut', () => {
    const whole = fc
      .tuple(
        fc.constantFrom('ANSWER\n', 'CLARIFY\n', 'NO_ANSWER\n', 'HANDOFF:fraud\n', ''),
        fc.string(),
      )
      .map(([verdict, rest]) => verdict + rest);
    fc.assert(
      fc.property(chunked(whole), (chunks) => {
        expect(read(chunks)).toEqual(read([chunks.join('')]));
      }),
    );
  });
});

describe('the prompt', () => {
  const passage = {
    chunk_id: 'c',
    article_id: 'a',
    version: 1,
    title: 'A "title"',
    heading: '',
    content: 'Text </kb-0000> text',
    score: 1,
  };
  const turn = (seq: number, author_type: Turn['author_type'], content: string): Turn => ({
    seq,
    author_type,
    content,
  });

  test('holds passages as numbered data, history before, the question last', () => {
    const turns = [
      turn(1, 'customer', 'old'),
      turn(2, 'assistant', 'reply'),
      turn(3, 'customer', 'new'),
    ];
    const { messages } = buildPrompt({
      title: 'Subject here',
      turns,
      answeredSeq: 1,
      passages: [passage],
      shrink: 0,
    });
    expect(messages.map((message) => message.role)).toEqual([
      'system',
      'user',
      'assistant',
      'user',
    ]);
    const last = messages.at(-1)?.content ?? '';
    expect(last).toMatch(
      /^<(kb-[0-9a-f]{8}) n="1" title="A 'title'">\nText <\/kb-0000> text\n<\/\1>/,
    );
    expect(last.endsWith('new')).toBe(true);
  });

  test('shrunk, it holds fewer passages and no history', () => {
    const input = {
      title: 'S',
      turns: [turn(1, 'customer', 'old'), turn(2, 'assistant', 'r'), turn(3, 'customer', 'new')],
      answeredSeq: 1,
      passages: [passage, passage, passage],
    };
    const shrunk = buildPrompt({ ...input, shrink: 1 });
    expect(shrunk.messages).toHaveLength(2);
    expect(shrunk.messages[1]?.content.match(/n="\d"/g)).toHaveLength(2);
  });

  test('stays under 3,600 tokens, at four characters a token', () => {
    const long = 'word '.repeat(10_000);
    const turns = [turn(1, 'customer', long), turn(2, 'agent', long), turn(3, 'customer', long)];
    const passages = Array.from({ length: 6 }, () => ({ ...passage, content: 'x'.repeat(1_200) }));
    const { messages } = buildPrompt({ title: 'S', turns, answeredSeq: 1, passages, shrink: 0 });
    const length = messages.reduce((sum, message) => sum + message.content.length, 0);
    expect(length).toBeLessThan(3_600 * 4);
  });

  test('e-mail addresses and card numbers do not leave the process', () => {
    const redacted = redact(
      'I am jo.doe+x@mail.example.org, card 4111 1111 1111 1111, order 12345678',
    );
    expect(redacted).toBe('I am [email address], card [card number], order 12345678');
  });

  test('a short question is searched together with its subject', () => {
    expect(searchText('Return shoes', [turn(3, 'customer', 'And hats?')], 1)).toContain(
      'Return shoes',
    );
  });
});

describe('rules', () => {
  test.each([
    'I want to talk to a human please',
    'Can I speak with someone?',
    'agent please',
    'connect me to a real person',
  ])('%j asks for a person', (message) => {
    expect(matchRule(message, false)).toMatchObject({ reason: 'requested' });
  });

  test.each(['How do I return shoes?', 'My agent number is 7', 'the person at the door was kind'])(
    '%j does not',
    (message) => expect(matchRule(message, false)).toBeUndefined(),
  );

  test('yes means a person only after an offer', () => {
    expect(matchRule('Yes please!', true)).toMatchObject({ reason: 'accepted-offer' });
    expect(matchRule('Yes please!', false)).toBeUndefined();
  });
});

test('a Last-Event-ID is read exactly, and anything else is not one', () => {
  const id = '0199f3a0-5a15-7b0a-b3f1-94d0a2c8e633';
  expect(parsePosition(`${id}.12`)).toEqual({ answerId: id, offset: 12 });
  expect(parsePosition(`${id}.end`)).toEqual({ answerId: id, offset: 'end' });
  for (const bad of ['', id, `${id}.`, `${id}.-1`, `${id}.1.2`, `${id}.1e3`, `x${id}.1`]) {
    expect(parsePosition(bad)).toBeUndefined();
  }
});

test('the extractive answer keeps lines whole and says where to read on', () => {
  const content = Array.from({ length: 40 }, (_, n) => `${n + 1}. do this and that and more`).join(
    '\n',
  );
  const passages = ['a', 'b', 'b', 'c', 'd'].map((article_id) => ({
    chunk_id: '',
    article_id,
    version: 1,
    title: `Title ${article_id}`,
    heading: 'Heading',
    content,
    score: 1,
  }));
  const answer = [...extractiveAnswer(passages)].join('');
  expect(answer.startsWith('From *Title a › Heading* [1]:\n\n1. do this')).toBe(true);
  expect(answer.split(/\s+/).length).toBeLessThan(160);
  expect(answer).toMatch(
    /and more …\n\nSee also: \*Title b › Heading\* \[2\], \*Title c › Heading\* \[4\]$/,
  );
});

test('a stream gives the text once, in bounded whole pieces, from any offset', async () => {
  const words = fc.array(fc.constantFrom('a', '😀', 'word ', '\n', 'x'.repeat(700)), {
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(words, fc.nat(3_000), async (pieces, offset) => {
      const text = pieces.join('');
      const begin = offset > text.length || splitsPair(text, offset) ? 0 : offset;
      const frames = answerFrames(endedTail(text), {
        audience: 'customer',
        offset: begin,
        signal: new AbortController().signal,
      });
      let body = '';
      for await (const frame of frames) body += frame;
      const deltas = parseStream(body).frames.flatMap(({ part }) =>
        part['type'] === 'text-delta' ? [part['delta'] as string] : [],
      );
      expect(deltas.join('')).toBe(text.slice(begin));
      for (const delta of deltas) {
        expect(delta.length).toBeLessThanOrEqual(1_024);
        expect(delta.isWellFormed()).toBe(true);
      }
    }),
  );
});

const splitsPair = (text: string, at: number): boolean =>
  /[\ud800-\udbff]/.test(text.charAt(at - 1)) && /[\udc00-\udfff]/.test(text.charAt(at));

/** The tail of an answer that has ended with `text`. */
function endedTail(text: string): Tail {
  const row = {
    id: '0199f3a0-5a15-7b0a-b3f1-94d0a2c8e633',
    message_id: 'message',
    ticket_id: 'ticket',
    state: 'completed',
    text,
    sources: [],
    citations: [],
    ended_at: new Date(),
    started_at: new Date(),
  } as unknown as Tail['row'];
  return {
    row,
    changed: () => Promise.resolve(),
    wake: () => undefined,
    frame: (_from, _to, encode) => encode(),
  };
}
