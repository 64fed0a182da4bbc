import type { Question } from './question.ts';
import { featuresOf, likeness, scoreOf, type RankingVector } from './ranking-features.ts';
import { rankingWeights } from './ranking-weights.ts';
import type { Candidate } from './search.repository.ts';

export type Ranked = { candidate: Candidate; features: RankingVector; score: number };

/** From this likeness on a heading is the question, in other words at most. */
const sameNameMin = 0.9;

/** Orders candidates by the trained weights, best first. */
export function rank(question: Question, candidates: readonly Candidate[]): Ranked[] {
  const vectors = featuresOf(question, candidates);
  const ranked = candidates.map((candidate, at): Ranked => {
    const features = vectors[at] as RankingVector;
    return { candidate, features, score: scoreOf(features, rankingWeights) };
  });
  return leadWithNamedSections(question, ranked).sort((one, other) => other.score - one.score);
}

/**
 * A section that is called like the question is the answer of its article, also when its text does
 * not repeat those words: it gets the score of the article's best passage, and stands before it.
 */
function leadWithNamedSections(question: Question, ranked: readonly Ranked[]): Ranked[] {
  const best = new Map<string, number>();
  for (const { candidate, score } of ranked) {
    best.set(candidate.article_id, Math.max(score, best.get(candidate.article_id) ?? -Infinity));
  }
  const isNamed = ({ candidate }: Ranked): boolean =>
    likeness(question, candidate.heading_terms) >= sameNameMin;
  const named = ranked.filter(isNamed);
  return [
    ...named.map((one) => ({ ...one, score: best.get(one.candidate.article_id) ?? one.score })),
    ...ranked.filter((one) => !isNamed(one)),
  ];
}
