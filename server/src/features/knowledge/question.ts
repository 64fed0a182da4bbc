import type { FoundTerms } from './search.repository.ts';

/** A lexeme of a question that the knowledge base has. `weight` is its idf, less when corrected. */
export type QuestionTerm = { lexeme: string; weight: number; chunks: number };

/** A question, made ready for ranking. Masses are sums of weights. */
export type Question = {
  /** Every word, also those that mean little ("how", "where"): they tell kinds of questions apart. */
  words: ReadonlySet<string>;
  /** In the order of the question, each lexeme once. */
  terms: readonly QuestionTerm[];
  weights: ReadonlyMap<string, number>;
  mass: number;
  /** What the words would weigh that the knowledge base does not have. */
  unknownMass: number;
  chunks: number;
  averageLength: number;
};

/** How much a corrected word counts: the customer did not write it. */
const correctedShare = 0.7;

/** A long message is judged by its rarest words: more of them cost time and change little. */
const termsMax = 40;

/** How rare a lexeme is, as BM25 has it. */
export const idf = (chunksOfAll: number, chunksWith: number): number =>
  Math.log(1 + (chunksOfAll - chunksWith + 0.5) / (chunksWith + 0.5));

export const wordsOf = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? [];

/** `corrected` holds the terms of words that were misspelt. */
export function questionOf(
  text: string,
  found: FoundTerms,
  corrected: ReadonlySet<string> = new Set(),
): Question {
  const terms = new Map<string, QuestionTerm>();
  let unknownMass = 0;
  for (const { lexeme, chunks } of found.terms) {
    if (terms.has(lexeme)) continue;
    const share = corrected.has(lexeme) ? correctedShare : 1;
    const weight = idf(found.chunks, chunks);
    if (chunks > 0) terms.set(lexeme, { lexeme, weight: share * weight, chunks });
    unknownMass += chunks > 0 ? (1 - share) * weight : weight;
  }
  const all = [...terms.values()];
  const heaviest = new Set(
    all.toSorted((one, other) => other.weight - one.weight).slice(0, termsMax),
  );
  const known = all.filter((term) => heaviest.has(term));
  return {
    words: new Set(wordsOf(text)),
    terms: known,
    weights: new Map(known.map(({ lexeme, weight }) => [lexeme, weight])),
    mass: known.reduce((sum, { weight }) => sum + weight, 0),
    unknownMass,
    chunks: found.chunks,
    averageLength: found.averageLength,
  };
}
