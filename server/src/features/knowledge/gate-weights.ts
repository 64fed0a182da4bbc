import type { GateFeature } from './gate-features.ts';
import type { Gate } from './gate.ts';

/** Found by eval/train-ranking.ts; docs/evaluation.md tells how. For bases without a calibration. */
export const gateDefaults: Gate = {
  intercept: -7.3,
  weights: { score: 0, margin: 0.35, certainty: 3.5, name: 1.65, neighbours: 0.7, length: 1.5 },
};

/** How far each feature usually spreads: the unit in which a calibration may move its weight. */
export const gateScales: Readonly<Record<GateFeature, number>> = {
  score: 3.4,
  margin: 2.4,
  certainty: 0.29,
  name: 0.23,
  neighbours: 0.21,
  length: 0.29,
};
