import { describe, expect, test } from 'vitest';
import { questionOf } from './question.ts';
import { featuresOf } from './ranking-features.ts';
import { rank } from './ranking.ts';
import type { Candidate, FieldTerm, FoundTerms } from './search.repository.ts';

const found = (...terms: [lexeme: string, chunks: number][]): FoundTerms => ({
  terms: terms.map(([lexeme, chunks], at) => ({ at: at + 1, word: lexeme, lexeme, chunks })),
  chunks: 100,
  averageLength: 20,
  knowledgeVersion: 1,
});

/** Texts of lexemes: "late parcel" has one at 1 and one at 2. */
const termsOf = (text: string): FieldTerm[] => {
  const words = text.split(' ').filter(Boolean);
  return [...new Set(words)].map((word) => [
    word,
    words.flatMap((other, at) => (other === word ? [at + 1] : [])),
  ]);
};

let chunks = 0;
const candidate = (
  article: string,
  title: string,
  heading: string,
  content: string,
): Candidate => ({
  chunk_id: `chunk-${chunks++}`,
  article_id: article,
  version: 1,
  title,
  heading,
  content,
  score: 0,
  ordinal: 0,
  length: 20,
  title_terms: termsOf(title),
  heading_terms: termsOf(heading),
  content_terms: termsOf(content),
});

const lateParcel = questionOf('late parcel', found(['late', 5], ['parcel', 20]));

describe('features', () => {
  const featuresFor = (one: Candidate, ...others: Candidate[]) =>
    featuresOf(lateParcel, [one, ...others])[0];

  test('stay between 0 and 1 for a perfect passage, and are 0 for one without the words', () => {
    const perfect = featuresFor(candidate('a', 'late parcel', '', 'late parcel late parcel'));
    for (const value of Object.values(perfect ?? {})) expect(value).toBeGreaterThan(0.5);
    for (const value of Object.values(perfect ?? {})) expect(value).toBeLessThanOrEqual(1);
    const foreign = featuresFor(candidate('a', 'gift card', '', 'voucher'));
    expect(Object.values(foreign ?? {})).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  test('do not change when a question word is asked twice', () => {
    const passage = candidate('a', 'late', 'parcel', 'late x x parcel');
    const twice = questionOf('late parcel late', found(['late', 5], ['parcel', 20], ['late', 5]));
    expect(featuresOf(twice, [passage])).toEqual(featuresOf(lateParcel, [passage]));
  });

  test('neighbours must be near each other, and closeness ends after a dozen words', () => {
    const near = featuresFor(candidate('a', '', '', 'late parcel'));
    const far = featuresFor(candidate('a', '', '', `late ${'x '.repeat(20)}parcel`));
    expect(near).toMatchObject({ neighbours: 1, closeness: 1 });
    expect(far?.neighbours).toBe(0);
    expect(far?.closeness).toBeLessThan(1);
  });

  test('an article with more good chunks is ahead of one with a single one', () => {
    const one = candidate('a', '', '', 'late parcel');
    const [alone, first] = featuresOf(lateParcel, [
      one,
      { ...one, article_id: 'b', chunk_id: 'x' },
      { ...one, article_id: 'b', chunk_id: 'y' },
    ]);
    expect(first?.article).toBe(1);
    expect(alone?.article).toBeCloseTo(2 / 3);
  });
});

describe('rank', () => {
  test('puts the rare word before the frequent one', () => {
    const ranked = rank(lateParcel, [
      candidate('frequent', '', '', 'parcel'),
      candidate('rare', '', '', 'late'),
    ]);
    expect(ranked.map((one) => one.candidate.article_id)).toEqual(['rare', 'frequent']);
  });

  test('puts the section that is called like the question first in its article', () => {
    const ranked = rank(lateParcel, [
      candidate('a', 'late parcel lost', 'express', 'late parcel late parcel'),
      candidate('a', 'late parcel lost', 'late parcel', 'wait three days'),
      candidate('b', 'gift', '', 'late'),
    ]);
    expect(ranked.map((one) => one.candidate.heading)).toEqual(['late parcel', 'express', '']);
  });

  test('finds nothing in nothing', () => {
    expect(rank(lateParcel, [])).toEqual([]);
  });
});

test('unknown words weigh more than any known one, and corrected ones less than written ones', () => {
  const terms = found(['late', 5], ['blimp', 0]);
  const question = questionOf('late blimp', terms);
  expect(question.unknownMass).toBeGreaterThan(question.mass);
  const corrected = questionOf('lade', found(['late', 5]), new Set(['late']));
  expect(corrected.mass).toBeLessThan(question.mass);
  expect(corrected.mass + corrected.unknownMass).toBeCloseTo(question.mass);
});

test('a long message is judged by its rarest words, in their order', () => {
  const many = Array.from({ length: 100 }, (_, at): [string, number] => [`word${at}`, at + 1]);
  const { terms } = questionOf('', found(...many));
  expect(terms.map(({ lexeme }) => lexeme)).toEqual(many.slice(0, 40).map(([lexeme]) => lexeme));
});
