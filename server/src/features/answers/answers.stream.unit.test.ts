import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseStream } from '../../../test/read-stream.ts';
import { answerFrames, parsePosition } from './answers.stream.ts';
import type { Tail } from './answers.tails.ts';
import { createVerdictReader } from './answers.verdict.ts';

/** A text and the places where a stream happens to cut it. */
const chunked = (text: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
  fc.tuple(text, fc.array(fc.nat(200), { maxLength: 12 })).map(([whole, cuts]) => {
    const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length];
    const sorted = places.sort((one, other) => one - other);
    return sorted.slice(1).map((end, at) => whole.slice(sorted[at], end));
  });

const through = (reader: { push(text: string): string; end(): string }, chunks: string[]): string =>
  chunks.map((chunk) => reader.push(chunk)).join('') + reader.end();

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
    ['ANSWER: You can return it.', 'ANSWER', 'You can return it.'],
    ['ANSWER You can return it.', 'ANSWER', 'You can return it.'],
    ['**ANSWER:** You can **return** it.', 'ANSWER', 'You can **return** it.'],
    ['ANSWER: **You** can return it.', 'ANSWER', '**You** can return it.'],
    ['[ANSWER]\n\n- You can return it.', 'ANSWER', '- You can return it.'],
    ['ANSWER - 30 days.', 'ANSWER', '30 days.'],
    [
      'CLARIFY: Which order do you mean, the first?',
      'CLARIFY',
      'Which order do you mean, the first?',
    ],
    ['NO_ANSWER - the passages do not say it.', 'NO_ANSWER', 'the passages do not say it.'],
    ['Answer\nYes.', 'ANSWER', 'Yes.'],
    ['answer: Yes.', 'ANSWER', 'Yes.'],
    ['no_answer', 'NO_ANSWER', ''],
    ['Clarify.\nWhich one?', 'CLARIFY', 'Which one?'],
    ...[
      'Answers are hard to find in this place.',
      'Answer the door when the courier rings.',
      'Clarify which order you mean.',
      'ANSWER-PHONE messages are not read.',
      'The ANSWER\nis yes.',
    ].map((text) => [text, 'ANSWER', text]),
  ])('%j is %s', (input, verdict, shown) => {
    expect(read([input])).toMatchObject({ verdict, shown });
  });

  test('a hand-over carries its reason, and an unknown reason counts as requested', () => {
    expect(read(['HANDOFF:legal\nx'])).toMatchObject({ verdict: 'HANDOFF', reason: 'legal' });
    expect(read(['HANDOFF: whim\n'])).toMatchObject({ verdict: 'HANDOFF', reason: 'requested' });
    expect(read(['handoff: threat\nx'])).toMatchObject({ verdict: 'HANDOFF', reason: 'threat' });
    expect(read(['HANDOFF:fraud They took my card.'])).toEqual({
      verdict: 'HANDOFF',
      reason: 'fraud',
      shown: 'They took my card.',
    });
    expect(read(['HANDOFF - the customer asks for a person'])).toMatchObject({
      verdict: 'HANDOFF',
      reason: 'requested',
    });
  });

  test('is the same however the stream is cut', () => {
    const piece = fc.constantFrom(
      ...['ANSWER', 'Answer', 'CLARIFY', 'NO_ANSWER', 'no_answer', 'HANDOFF', ':fraud', 'legal'],
      ...[':', ' ', '\n', '-', ' – ', '**', '.', 's', ' are', 'word ', ' '.repeat(25), '😀'],
    );
    const whole = fc
      .tuple(fc.array(piece, { maxLength: 8 }), fc.string())
      .map(([pieces, rest]) => pieces.join('') + rest);
    fc.assert(
      fc.property(chunked(whole), (chunks) => {
        expect(read(chunks)).toEqual(read([chunks.join('')]));
      }),
      { numRuns: 2_000 },
    );
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
