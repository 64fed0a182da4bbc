import { describe, expect, test } from 'vitest';
import { checkSupport } from './answers.check.ts';
import { passages } from './test-guard.ts';

const supportOf = (text: string): number =>
  checkSupport(text, passages).sentences[0]?.support ?? NaN;
const weakest = (text: string): number => checkSupport(text, passages).weakest;

describe('the support of an answer', () => {
  test.each([
    'You have **30 days** to return anything you bought from us [1].',
    'Shoes may come back within 30 days, and Trailhead members have 100 days [1].',
    'Try the shoes indoors only, and keep the original shoe box [1].',
    'Your money goes back the way you paid [2]. PayPal is back within 1 working day [2].',
    'You get a code for €10 off your first order of €80 or more [3]. It is valid for 60 days [3].',
    'Standard delivery in the EU is free when your order reaches €75 [6].',
    'If the price drops within 14 days of your order, the difference is refunded [3].',
    'A stove of these batches may leak gas from its valve, so stop using the stove [4].',
    'Here is how it works:\n1. Stop using the stove.\n2. Check the batch number on the burner.\n3. Send it back with the free label [4].',
    'Good question! Items have to be unused and unwashed, with all labels still attached [1]. Is there anything else?',
    'Hello, and thank you for your message!',
    'Which of your orders do you mean?',
  ])('%j is supported', (text) => {
    expect(checkSupport(text, passages)).toMatchObject({ needsReview: false });
    expect(weakest(text)).toBeGreaterThanOrEqual(0.5);
  });

  test.each([
    ['invented', 'Lost luggage at the airport is covered by our worldwide travel insurance [1].'],
    ['invented', 'Students save on tents with their university card in every partner shop [3].'],
    ['invented', 'Our mountain guides offer free climbing courses every summer weekend [5].'],
    ['the wrong passage', 'Sale items can be returned with labels in original packaging [5].'],
    ['a wrong number', 'You have 45 days to return anything you bought from us [1].'],
    ['a number of another passage', 'You have 60 days to return anything you bought from us [1].'],
    ['a passage that is not there', 'You have 30 days to return anything you bought [7].'],
    ['an uncited number', 'You have 30 days.'],
    ['uncited', 'The original packaging and all attached labels should come back with the shoes.'],
    [
      'one bad sentence among good ones',
      'You have 30 days to return anything you bought from us [1]. Helicopters deliver urgent ropes to alpine huts [1].',
    ],
  ])('%s: %j needs review', (_, text) => {
    expect(checkSupport(text, passages).needsReview).toBe(true);
  });

  test('a fabricated sentence has less support than a paraphrase, and that less than a quote', () => {
    const quote = supportOf('Please try shoes on indoors only [1].');
    const paraphrase = supportOf('Try your shoes on inside the house, only indoors, please [1].');
    const fabricated = supportOf('Shoes glow under moonlight in every forest [1].');
    expect(quote).toBe(1);
    expect(paraphrase).toBeLessThan(quote);
    expect(fabricated).toBeLessThan(paraphrase);
  });

  test('sentences carry their own citations, or those of their paragraph', () => {
    const { sentences } = checkSupport(
      'Try them indoors only. You have 30 days. [1] See below.\n\nRefunds differ [2].',
      passages,
    );
    expect(sentences.map(({ text, cites }) => [text, cites])).toEqual([
      ['Try them indoors only.', [1]],
      ['You have 30 days. [1]', [1]],
      ['See below.', [1]],
      ['Refunds differ [2].', [2]],
    ]);
  });

  test('a passage that the answer was not allowed to cite gives no support', () => {
    const text = 'Walk on carpet or another clean floor [1].';
    expect(checkSupport(text, passages).weakest).toBe(1);
    expect(checkSupport(text, passages, [2]).weakest).toBe(0);
  });
});
