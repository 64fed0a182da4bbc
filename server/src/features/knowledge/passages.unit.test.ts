import { expect, test } from 'vitest';
import { packPassages, tokensOf } from './passages.ts';

const passage = (article: string, content: string) => ({
  chunk_id: content,
  article_id: article,
  version: 1,
  title: '',
  heading: '',
  content,
  score: 1,
});
const roomy = { limit: 6, tokenBudget: 1_800 };

test('an article gives two passages at most', () => {
  const all = ['one', 'two', 'three'].map((content) => passage('a', content));
  const packed = packPassages([...all, passage('b', 'four')], roomy);
  expect(packed.map(({ content }) => content)).toEqual(['one', 'two', 'four']);
});

test('what says the same is given once', () => {
  const text = 'You have 30 days to return an item, from the day of its delivery to you.';
  const packed = packPassages([passage('a', text), passage('b', text.toUpperCase())], roomy);
  expect(packed.map(({ article_id }) => article_id)).toEqual(['a']);
});

test('the budget holds for all together, and a smaller passage may still fit', () => {
  const long = passage('a', 'x'.repeat(400));
  const longer = passage('b', 'y'.repeat(400));
  const short = passage('c', 'z'.repeat(40));
  const packed = packPassages([long, longer, short], { limit: 6, tokenBudget: 120 });
  expect(packed).toEqual([long, short]);
  expect(packed.reduce((sum, one) => sum + tokensOf(one), 0)).toBeLessThanOrEqual(120);
});

test('the best passage is given even when it is too large alone', () => {
  const long = passage('a', 'x'.repeat(400));
  expect(packPassages([long], { limit: 6, tokenBudget: 10 })).toEqual([long]);
});

test('the limit is kept', () => {
  const all = Array.from({ length: 9 }, (_, at) => passage(`article ${at}`, `text ${at}`));
  expect(packPassages(all, { limit: 2, tokenBudget: 1_800 })).toHaveLength(2);
});
