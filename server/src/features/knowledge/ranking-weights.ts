import type { RankingWeights } from './ranking-features.ts';

/** Found by eval/train-ranking.ts; docs/evaluation.md tells how. */
export const rankingWeights: RankingWeights = {
  bm25: 7.4,
  body: 6.3,
  article: 1.6,
  name: 5.3,
  wording: 2.9,
  neighbours: 0.5,
  closeness: 3,
};
