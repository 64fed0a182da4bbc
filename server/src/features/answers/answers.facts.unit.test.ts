import { describe, expect, test } from 'vitest';
import { evidenceOf, factsIn } from './answers.facts.ts';

const statedIn = (text: string): string[] => factsIn(text).map(({ value, unit }) => value + unit);

describe('what a text states', () => {
  test.each([
    ['within thirty days', '30day'],
    ['twenty-four hours, or twenty four hours', '24hour', '24hour'],
    ['a hundred days', '100day'],
    ['two hundred and ten days', '210day'],
    ['a dozen weeks and five thousand euros', '12week', '5000euro'],
    ['half a hundred-day period', '100day'],
    ['1,234,567.89 km', '1234567.89kilometre'],
    ['1.000.000 €', '1000000euro'],
    ['the code FW-20418 and TF-2403', 'fw20418code', 'tf2403code'],
    ['hundreds of people, a thousand thanks, dozens of tents'],
  ])('%j', (text, ...stated) => expect(statedIn(text)).toEqual(stated));
});

describe('20,000 characters made to be slow', () => {
  const pieces = [
    '-',
    '_',
    'a-',
    'a_',
    '1-',
    '11-',
    '1_',
    '.111',
    '1,111,',
    '1.1.',
    '\n',
    '\n#',
    '> ',
  ];
  const words = [
    'one-',
    'twenty-',
    'a hundred ',
    'hundred and ',
    '2024-01-',
    '1 of ',
    'may ',
    '€1-',
  ];
  test.each([...pieces, ...words, '\u0301', 'a\u0301', '+1(', '9:', '1 \u00a0'])('%j', (piece) => {
    const long = piece.repeat(20_000 / piece.length);
    const began = performance.now();
    for (const end of ['', ' 1', '1x']) factsIn(long + end);
    evidenceOf([`${long}1`]);
    // A tenth of a second here; what was quadratic took half a second to ten seconds each time.
    expect(performance.now() - began).toBeLessThan(800);
  });
});
