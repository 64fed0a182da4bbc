import { wordsOf, type Question } from './question.ts';
import type { Candidate, FieldTerm } from './search.repository.ts';

/*
 * The second look at what BM25 found: a linear function of few features, none of which depends on
 * how long the question is or how many articles there are. eval/train-ranking.ts finds the weights.
 */

/** What a passage is judged by; each is about between 0 and 1. */
export const rankingFeatures = [
  /** BM25 with titles and headings counting three times, over the most that is possible. */
  'bm25',
  /** BM25 of the text alone. */
  'body',
  /** The BM25 of the article's best chunks together, over that of the best article. */
  'article',
  /** How like the question the title or the heading is, squared: a weak likeness says little. */
  'name',
  /** The same with all words, also "how" and "where". */
  'wording',
  /** Words that are neighbours in the question, and in the passage too. */
  'neighbours',
  /** How much of the question stands within a dozen words of the text. */
  'closeness',
] as const;

export type RankingFeature = (typeof rankingFeatures)[number];
export type RankingVector = Record<RankingFeature, number>;
export type RankingWeights = Readonly<Record<RankingFeature, number>>;
/** BM25's own constants, and the weight of titles and headings in its frequencies. */
const k1 = 1.2;
const b = 0.75;
const nameWeight = 3;
/** Distances in words. */
const neighboursMax = 2;
const closenessWindow = 12;

export const scoreOf = (features: RankingVector, weights: RankingWeights): number =>
  rankingFeatures.reduce((sum, name) => sum + weights[name] * features[name], 0);

/** The features of all candidates of one question, in their order. */
export function featuresOf(question: Question, candidates: readonly Candidate[]): RankingVector[] {
  const most = Math.max(question.mass, Number.EPSILON);
  const scores = candidates.map((candidate) => bm25Of(question, candidate) / most);
  const articles = articleScores(candidates, scores);
  const bestArticle = Math.max(...articles.values(), Number.EPSILON);
  return candidates.map((candidate, at) => {
    const { title_terms, heading_terms, content_terms, title, heading } = candidate;
    const name = Math.max(likeness(question, title_terms), likeness(question, heading_terms));
    const wording = Math.max(sameWords(question.words, title), sameWords(question.words, heading));
    return {
      bm25: scores[at] ?? 0,
      body: bodyBm25Of(question, candidate) / most,
      article: (articles.get(candidate.article_id) ?? 0) / bestArticle,
      name: name ** 2,
      wording: wording ** 2,
      neighbours: neighboursOf(question, [title_terms, heading_terms, content_terms]),
      closeness: closenessOf(question, content_terms) / most,
    };
  });
}

/** A term's part of BM25, at most its weight. */
const saturated = (weight: number, frequency: number, relativeLength: number): number =>
  (weight * frequency) / (frequency + k1 * (1 - b + b * relativeLength));

function bm25Of({ weights, averageLength }: Question, candidate: Candidate): number {
  const frequencies = new Map<string, number>();
  const count = (terms: readonly FieldTerm[], times: number): void => {
    for (const [lexeme, positions] of terms) {
      frequencies.set(lexeme, (frequencies.get(lexeme) ?? 0) + times * positions.length);
    }
  };
  count(candidate.content_terms, 1);
  count(candidate.title_terms, nameWeight);
  count(candidate.heading_terms, nameWeight);
  return [...weights].reduce(
    (sum, [lexeme, weight]) =>
      sum + saturated(weight, frequencies.get(lexeme) ?? 0, candidate.length / averageLength),
    0,
  );
}

const bodyBm25Of = ({ weights, averageLength }: Question, candidate: Candidate): number =>
  candidate.content_terms.reduce(
    (sum, [lexeme, positions]) =>
      sum + saturated(weights.get(lexeme) ?? 0, positions.length, candidate.length / averageLength),
    0,
  );

/** The second best chunk of an article counts half, the third a quarter, and so on. */
function articleScores(
  candidates: readonly Candidate[],
  scores: readonly number[],
): Map<string, number> {
  const byArticle = Map.groupBy(candidates.keys(), (at) => candidates[at]?.article_id ?? '');
  return new Map(
    [...byArticle].map(([id, places]) => {
      const sorted = places.map((at) => scores[at] ?? 0).sort((one, other) => other - one);
      return [id, sorted.reduce((sum, score, at) => sum + score * 0.5 ** at, 0)];
    }),
  );
}

function massOf({ weights }: Question, terms: readonly FieldTerm[]): number {
  const shared = new Set(terms.map(([lexeme]) => lexeme));
  return [...shared].reduce((sum, lexeme) => sum + (weights.get(lexeme) ?? 0), 0);
}

/** From 0 to 1: Dice's coefficient by weight; a word that the question lacks counts as its average word. */
export function likeness(question: Question, terms: readonly FieldTerm[]): number {
  if (terms.length === 0 || question.terms.length === 0) return 0;
  const shared = massOf(question, terms);
  const foreign = terms.filter(([lexeme]) => !question.weights.has(lexeme)).length;
  const average = question.mass / question.terms.length;
  return (2 * shared) / (shared + foreign * average + question.mass);
}

function sameWords(asked: ReadonlySet<string>, text: string): number {
  const words = new Set(wordsOf(text));
  if (words.size === 0) return 0;
  return (2 * words.intersection(asked).size) / (words.size + asked.size);
}

function neighboursOf({ terms }: Question, fields: readonly (readonly FieldTerm[])[]): number {
  const places = fields.map((field) => new Map(field));
  let found = 0;
  let all = 0;
  for (const [at, second] of terms.entries()) {
    const first = terms[at - 1];
    if (!first) continue;
    const weight = Math.min(first.weight, second.weight);
    all += weight;
    const adjacent = places.some((field) =>
      field
        .get(first.lexeme)
        ?.some((one) =>
          field.get(second.lexeme)?.some((other) => Math.abs(other - one) <= neighboursMax),
        ),
    );
    if (adjacent) found += weight;
  }
  return all > 0 ? found / all : 0;
}

/** The largest mass of question words in any window of the text. */
function closenessOf({ weights }: Question, terms: readonly FieldTerm[]): number {
  const places = terms
    .flatMap(([lexeme, positions]) => positions.map((position) => ({ lexeme, position })))
    .sort((one, other) => one.position - other.position);
  const inside = new Map<string, number>();
  let start = 0;
  let mass = 0;
  let best = 0;
  for (const { lexeme, position } of places) {
    const times = inside.get(lexeme) ?? 0;
    if (times === 0) mass += weights.get(lexeme) ?? 0;
    inside.set(lexeme, times + 1);
    for (let first = places[start]; first && first.position < position - closenessWindow;) {
      const left = (inside.get(first.lexeme) ?? 0) - 1;
      inside.set(first.lexeme, left);
      if (left === 0) mass -= weights.get(first.lexeme) ?? 0;
      first = places[++start];
    }
    best = Math.max(best, mass);
  }
  return best;
}
