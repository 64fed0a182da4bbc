import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createOpenAiStream } from './openai-stream.ts';

describe('a streamed completion', () => {
  test('reads the same from any cut of the same bytes', () => {
    const delta = (content: string) =>
      `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}`;
    const end = 'data: {"choices":[{"finish_reason":"stop","delta":{}}]}';
    const text = 'Grüße 😀\u2028 an\nalle';
    fc.assert(
      fc.property(
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.nat({ max: 400 }), { maxLength: 20 }),
        (lineEnd, cuts) => {
          const lines = [...(text.match(/.{1,3}/gsu) ?? []).map(delta), end, 'data: [DONE]'];
          const bytes = new TextEncoder().encode(
            lines.map((line) => line + lineEnd + lineEnd).join(''),
          );
          const answer = createOpenAiStream('groq');
          const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
          for (const [index, edge] of edges.entries())
            answer.feed(bytes.slice(edges[index - 1] ?? 0, edge));
          answer.close();
          expect(answer.takeText()).toBe(text);
          expect(answer.end()).toEqual({ type: 'end', usage: undefined, finishReason: 'stop' });
        },
      ),
    );
  });
});
