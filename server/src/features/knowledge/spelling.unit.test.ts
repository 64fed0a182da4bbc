import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSpeller, slipsBetween } from './spelling.ts';

const words = [
  'password',
  'tracking',
  'track',
  'return',
  'returns',
  'label',
  'where',
  'strikethrough',
];
const spell = createSpeller(words.map((word, at) => ({ word, chunks: 20 - at })));

describe('the speller', () => {
  test.each([
    ['pasword', 'password'],
    ['passwrod', 'password'],
    ['traking', 'tracking'],
    ['lable', 'label'],
    ['stikethruogh', 'strikethrough'],
  ])('%s is %s', (written, meant) => {
    expect(spell(written)).toBe(meant);
  });

  test('leaves alone what it knows, what is short, what is no word, and what is far from all', () => {
    for (const word of ['password', 'returns', 'pas', 'trak', 'pas5word', 'umbrella', 'assword']) {
      expect(spell(word)).toBeUndefined();
    }
  });

  test('does not choose between two words that are as near and as frequent', () => {
    const torn = createSpeller([
      { word: 'sending', chunks: 5 },
      { word: 'spending', chunks: 4 },
    ]);
    expect(torn('s' + 'nending')).toBeUndefined();
    const clear = createSpeller([
      { word: 'sending', chunks: 50 },
      { word: 'spending', chunks: 4 },
    ]);
    expect(clear('snending')).toBe('sending');
  });

  test('undoes any letter that was left out of a long word, behind the first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), (at) => {
        const word = 'strikethrough';
        expect(spell(word.slice(0, at) + word.slice(at + 1))).toBe(word);
      }),
    );
  });
});

test('slips are symmetric, and none between a word and itself', () => {
  const word = fc.stringMatching(/^[a-e]{0,8}$/);
  fc.assert(
    fc.property(word, word, (one, other) => {
      expect(slipsBetween(one, other)).toBe(slipsBetween(other, one));
      expect(slipsBetween(one, other) === 0).toBe(one === other);
      expect(slipsBetween(one, other)).toBeLessThanOrEqual(Math.max(one.length, other.length));
    }),
  );
  expect(slipsBetween('lable', 'label')).toBe(1);
});
