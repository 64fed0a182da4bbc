import { gateFeatures, type GateFeature, type GateVector } from './gate-features.ts';

/**
 * A logistic function of the features. Its intercept is set so that 0.5 is a careful operating
 * point: there few of the questions get through that the knowledge base cannot answer.
 */
export type Gate = {
  intercept: number;
  weights: Readonly<Record<GateFeature, number>>;
};

/** What the gate does at a threshold, as far as the knowledge base can tell by itself. */
export type CurvePoint = {
  threshold: number;
  /** Share of the answerable questions that get an answer. */
  coverage: number;
  /** Share of these answers whose first passage is of the right article. */
  precision: number;
  /** Share of the unanswerable questions that get an answer. */
  falseAnswers: number;
};

export type Calibration = Gate & {
  knowledgeVersion: number;
  /** Questions that were rehearsed. */
  samples: number;
  curve: CurvePoint[];
};

/** Estimates how likely the first passage has the answer; nothing found is 0. */
export const probabilityOf = (
  { intercept, weights }: Gate,
  features: GateVector | undefined,
): number => (features ? 1 / (1 + Math.exp(-intercept - sumOf(weights, features))) : 0);

export const sumOf = (weights: Gate['weights'], features: GateVector): number =>
  gateFeatures.reduce((sum, name) => sum + weights[name] * features[name], 0);
