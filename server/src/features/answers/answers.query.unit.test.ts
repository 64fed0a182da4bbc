import { describe, expect, test } from 'vitest';
import { leansOnContext, searchTexts } from './answers.query.ts';

describe('the texts to search for', () => {
  const title = 'Return shoes';
  const firstMessage = 'How do I send back the shoes that I bought last week?';

  test('are the subject and the question for the first message, and no more', () => {
    const expected = [`${title}\n${firstMessage}`];
    expect(searchTexts({ title, question: [firstMessage], firstMessage: undefined })).toEqual(
      expected,
    );
    expect(searchTexts({ title, question: [firstMessage], firstMessage })).toEqual(expected);
  });

  test('are the question alone when it is long and says all by itself', () => {
    const question = ['Where can I download the invoice of my order from last month as a PDF?'];
    expect(searchTexts({ title, question, firstMessage })).toEqual(question);
  });

  test('are also the question with the first message when it leans on that', () => {
    expect(searchTexts({ title, question: ['And for hats?'], firstMessage })).toEqual([
      'Return shoes\nAnd for hats?',
      `Return shoes\n${firstMessage}\nAnd for hats?`,
    ]);
  });

  test('hold all messages since the last answer', () => {
    const [text] = searchTexts({
      title,
      question: ['Hello', 'Do you ship to Norway?'],
      firstMessage,
    });
    expect(text).toBe('Return shoes\nHello\nDo you ship to Norway?');
  });

  test('are bounded, well formed, and keep the newest words', () => {
    const long = `${'😀word '.repeat(5_000)}it?`;
    const texts = searchTexts({ title: long, question: [long], firstMessage: `x${long}` });
    for (const text of texts) {
      expect(text.length).toBeLessThan(2_000);
      expect(text.isWellFormed()).toBe(true);
      expect(text.endsWith('it?')).toBe(true);
    }
  });
});

describe('a question that leans on context', () => {
  test.each([
    'And for shoes?',
    'What about hats?',
    'Why?',
    'How long does it take?',
    'Can they be washed?',
    'Is it waterproof?',
    'Which other colours?',
    'the blue one',
  ])('%j does', (text) => expect(leansOnContext(text)).toBe(true));

  test.each([
    'I bought red shoes last week, can I return them?',
    'Is it possible to change the delivery address of my order?',
    'Is there a fee for express delivery to Norway?',
    'Where do I download the invoice of my order?',
  ])('%j does not', (text) => expect(leansOnContext(text)).toBe(false));
});
