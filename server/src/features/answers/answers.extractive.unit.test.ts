import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chunksOf } from '../knowledge/chunks.ts';
import { extractiveAnswer } from './answers.extractive.ts';
import { createAnswerGuard } from './answers.guard.ts';
import { guarded, passages as articles } from './test-guard.ts';

const passage = (content: string, article_id = 'a') => ({
  chunk_id: article_id,
  article_id,
  version: 1,
  title: `Title ${article_id}`,
  heading: 'Heading',
  content,
  score: 1,
});
const head = 'From *Title a › Heading* [1]:\n\n';
const quoteOf = (content: string): string => {
  const answer = [...extractiveAnswer([passage(content)])].join('');
  expect(answer.startsWith(head)).toBe(true);
  return answer.slice(head.length);
};
const steps = (count: number) =>
  Array.from({ length: count }, (_, n) => `${n + 1}. do this and that and more`).join('\n');

describe('the extractive answer', () => {
  test('quotes the best passage word for word and says where to read on', () => {
    const found = ['a', 'b', 'b', 'c', 'd'].map((id) =>
      passage('**Bold** and `code`.\n- item', id),
    );
    const pieces = [...extractiveAnswer(found)];
    expect(pieces.join('')).toBe(
      `${head}**Bold** and \`code\`.\n- item\n\nSee also: *Title b › Heading* [2], *Title c › Heading* [4]`,
    );
    expect(pieces.length).toBeGreaterThan(5);
  });

  test('says nothing without a passage', () => {
    expect([...extractiveAnswer([])]).toEqual([]);
  });

  test('keeps the steps of a list whole', () => {
    const quote = quoteOf(steps(40));
    expect(quote.split(/\s+/).length).toBeLessThanOrEqual(121);
    expect(quote).toMatch(/\n17\. do this and that and more …$/);
    const nested = quoteOf(
      steps(16) + '\n17. do this\n   and that, which is told\n   in more lines',
    );
    expect(nested).toMatch(/\n16\. do this and that and more …$/);
  });

  test('cuts a long paragraph between sentences, and a long sentence between words', () => {
    const sentence = 'It is told in just ten words, which are few. ';
    expect(quoteOf(sentence.repeat(20))).toBe(`${sentence.repeat(12).trim()} …`);
    expect(quoteOf('word '.repeat(300))).toBe(`${'word '.repeat(120).trim()} …`);
  });

  test('does not end with a line that leads to what was cut', () => {
    const words = 'word '.repeat(110).trim();
    expect(quoteOf(`${words}.\n\nYou need:\n\n- ${'item '.repeat(20)}`)).toBe(`${words}. …`);
  });

  test.each([
    ['See ![a map](https://x.example/map.png) here.', 'See  here.'],
    ['See [![a](b.png)](https://x.example) here.', 'See  here.'],
    ['See ![a map][map] here.\n\n[map]: https://x.example/map.png', 'See  here.'],
    ['A <b>bold</b> word<br/>.', 'A bold word.'],
    ['A <!-- hidden --> word.', 'A  word.'],
    ['A <<b>script>alert(1)</script> word.', 'A script>alert(1) word.'],
    ['A <img src=x', 'A img src=x'],
    ['A&nbsp;b &amp; c &lt;d&gt; &#60;e', 'A b & c d e'],
    ['As the study [3] and [^4] say [1, 2].', 'As the study (3) and (4) say (1, 2).'],
    ['See [the page][p].\n\n[p]: https://x.example', 'See the page.'],
    ['See [x](https://x.example/a) and <https://x.example/b>, 3 < 4.', undefined],
  ])('%j is quoted as %j', (content, quote = content) => {
    expect(quoteOf(content)).toBe(quote);
  });

  test('a title cannot cite, show an image or end its emphasis', () => {
    const odd = { ...passage('Text.'), title: 'A * [7] ![x](y) <b>', heading: '' };
    expect([...extractiveAnswer([odd])].join('')).toBe('From *A (7)* [1]:\n\nText.');
  });

  test('never shows an image, HTML or a citation of the article', () => {
    const piece = fc.constantFrom(
      ...['![', '](x)', '<', '>', 'b', '/', '!--', '-->', '[', ']', '3', '!', '&', 'lt;', '#60;'],
      ...['\n', ' ', '(', ')', '<https://x.example>', '- ', '1. ', 'word ', '. ', '[4]', ':', '^'],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const quote = quoteOf(pieces.join(''));
        const shown = quote.replaceAll('<https://x.example>', ' ');
        expect(shown.match(/!\[[^\]]*\]|<[a-z/!?]|&#|&lt;|[[【]\d+[\]】]/gi) ?? []).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('every passage of the sample shop goes through the guard as it is', () => {
    for (const { title, content } of articles) {
      for (const chunk of chunksOf(content)) {
        const found = { ...passage(chunk.content), title, heading: chunk.heading };
        const text = [...extractiveAnswer([found])].join('');
        const guard = createAnswerGuard({
          ...{ passages: [found], customerText: '', allowedUrls: [], instructions: '', canary: '' },
          lengthMax: 16_000,
        });
        expect(guarded([text], guard)).toMatchObject({ shown: text, rule: undefined, cited: [1] });
      }
    }
  });
});
