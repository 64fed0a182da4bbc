import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chunksOf } from './chunks.ts';

const contentsOf = (markdown: string): string[] => chunksOf(markdown).map(({ content }) => content);
const words = (count: number, word = 'word'): string => `${word} `.repeat(count).trim();

const line = fc.oneof(
  fc.constantFrom(
    '',
    '# One',
    '## Two',
    '- item',
    '  below an item',
    '1. first',
    'word '.repeat(400),
    '```',
    '    ```',
    '~~~~',
    '😀'.repeat(900),
  ),
  fc.string(),
  fc.string({ unit: 'grapheme' }),
);
const markdown = fc.array(line, { maxLength: 20 }).map((lines) => lines.join('\n'));

describe('chunks', () => {
  test('are under the limit, not empty, and cut no character in two', () => {
    fc.assert(
      fc.property(markdown, (text) => {
        for (const { content } of chunksOf(text)) {
          expect(content.length).toBeLessThanOrEqual(1_200);
          expect(content.trim()).not.toBe('');
          if (text.isWellFormed()) expect(content.isWellFormed()).toBe(true);
        }
      }),
    );
  });

  test('keep everything, in order', () => {
    const lettersOf = (text: string): string => text.replaceAll(/\s/g, '');
    fc.assert(
      fc.property(markdown, (text) => {
        const body = text.replaceAll('#', '=');
        expect(lettersOf(contentsOf(body).join(''))).toBe(lettersOf(body));
      }),
    );
  });

  test('have the nearest heading above them', () => {
    expect(chunksOf('Before.\n\n# A #\n\none\n\n### B\n\ntwo')).toEqual([
      { heading: '', content: 'Before.' },
      { heading: 'A', content: 'one' },
      { heading: 'B', content: 'two' },
    ]);
  });

  test('keep a `#` that belongs to the last word of a heading', () => {
    expect(chunksOf('# Write in C#\n\none\n\n## Closed ##\n\ntwo')).toEqual([
      { heading: 'Write in C#', content: 'one' },
      { heading: 'Closed', content: 'two' },
    ]);
  });

  test('have the words of headings with nothing below them', () => {
    expect(chunksOf('# We are open 9 to 5\n## Closed on Sunday')).toEqual([
      { heading: '', content: 'We are open 9 to 5\n\nClosed on Sunday' },
    ]);
    expect(chunksOf('# A\n\none\n\n# B\n\n## C\n\ntwo')).toEqual([
      { heading: 'A', content: 'one' },
      { heading: '', content: 'B' },
      { heading: 'C', content: 'two' },
    ]);
  });

  test('have no heading of more than 200 characters', () => {
    expect(chunksOf(`# ${'a'.repeat(200)}\n\none`)[0]?.heading).toHaveLength(200);
    const long = `# ${'a'.repeat(201)}`;
    expect(chunksOf(`${long}\n\none`)).toEqual([{ heading: '', content: `${long}\n\none` }]);
  });

  const filled = (text: string): string => text.repeat(Math.ceil(200_000 / text.length));
  test.each([
    ['spaces in a heading', `# a${filled(' ')}b`],
    ['marks in a heading', `# ${filled('#')}x`],
    ['marks and spaces in a heading', `# ${filled('# ')}x`],
    ['headings', filled('# a\n')],
    ['a mark of code', filled('`')],
    ['marks of code', filled('```\n')],
    ['list items', filled('- a\n')],
    ['paragraphs of a list item', `- a${filled('\n\n  b')}`],
    ['digits', filled('1')],
    ['blanks', filled(' \t')],
    ['empty lines', filled('\r\n')],
  ])('are made of 200,000 characters of %s in less than a second', (_what, text) => {
    const startedAt = performance.now();
    chunksOf(text);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  test('take no heading from inside code, whatever opens it', () => {
    const text = '# A\n\n````\n# not one\n```\n# nor this\n````\n\n## B\n\n~~~\n# nor that\n~~~';
    expect(chunksOf(text).map(({ heading }) => heading)).toEqual(['A', 'B']);
  });

  test('do not cut code at its empty lines', () => {
    const code = `\`\`\`\n${words(100)}\n\n${words(100)}\n\`\`\``;
    expect(contentsOf(`${words(80)}\n\n${code}\n\n${words(80)}`)).toEqual([
      words(80),
      code,
      words(80),
    ]);
  });

  test('do not cut list items that fit', () => {
    const items = Array.from({ length: 6 }, (_, at) => `- ${words(80, `item${at}`)}\n  and more`);
    const contents = contentsOf(items.join('\n'));
    expect(contents.length).toBeGreaterThan(2);
    expect(contents.join('\n')).toBe(items.join('\n'));
    for (const content of contents) expect(content).toMatch(/^- item/);
  });

  test('keep the paragraphs below a list item with it', () => {
    const item = `1. ${words(100)}\n\n   ${words(100)}`;
    expect(contentsOf(`${words(60)}\n\n${item}`)).toEqual([words(60), item]);
  });

  test('cut a table that is too long between its rows', () => {
    const rows = Array.from({ length: 60 }, (_, at) => `| row ${at} | ${words(4)} |`);
    for (const content of contentsOf(rows.join('\n'))) {
      expect(content.split('\n').every((row) => /^\|.*\|$/.test(row))).toBe(true);
    }
  });
});
