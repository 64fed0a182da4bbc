import type { Question } from './question.ts';
import type { Ranked } from './ranking.ts';

/*
 * What the gate looks at. Nothing here depends on the size of the knowledge base or the length of
 * the question, except `length` itself, so that numbers learnt on one base mean the same on another.
 */
export const gateFeatures = [
  /** Score of the first passage, less what the question has in words that nobody wrote about. */
  'score',
  /** How much the first passage is ahead of the best one of any other article. */
  'margin',
  /** The first article's share when scores become odds. */
  'certainty',
  /** How like the question the first passage's title or heading is. */
  'name',
  /** Neighbours in the question that are neighbours in the passage. */
  'neighbours',
  /** Logarithm of the number of known words: a long question rarely fits by accident. */
  'length',
] as const;

export type GateFeature = (typeof gateFeatures)[number];
export type GateVector = Record<GateFeature, number>;

/** `ranked` is best first. Undefined when nothing was found. */
export function gateFeaturesOf(
  question: Question,
  ranked: readonly Ranked[],
): GateVector | undefined {
  const first = ranked[0];
  if (!first) return undefined;
  const best = new Map<string, number>();
  for (const { candidate, score } of ranked) {
    if (!best.has(candidate.article_id)) best.set(candidate.article_id, score);
  }
  const [, second = 0] = best.values();
  const odds = [...best.values()].reduce((sum, score) => sum + Math.exp(score - first.score), 0);
  const known = question.mass / (question.mass + question.unknownMass);
  return {
    score: first.score * known,
    margin: (first.score - second) * known,
    certainty: 1 / odds,
    name: Math.sqrt(first.features.name),
    neighbours: first.features.neighbours,
    length: Math.log(1 + question.terms.length),
  };
}
