import { gateFeatures, type GateFeature, type GateVector } from './gate-features.ts';
import { probabilityOf, sumOf, type CurvePoint, type Gate } from './gate.ts';
import { gateScales } from './gate-weights.ts';
import { fitLogistic } from './logistic.ts';

/** A question that was asked. `present`: the article that answers it was among what was searched. */
export type Outcome = {
  features: GateVector | undefined;
  /** The first passage was of the right article. */
  right: boolean;
  present: boolean;
};

/** Of the unanswerable questions, how many may get through at 0.5. */
const falseAnswersMax = 0.08;

/**
 * Fits the weights, then sets the intercept so that few unanswerable questions pass 0.5. `shrinkage`
 * is how strongly the weights keep to the prior's, in observations.
 */
export function fitGate(outcomes: readonly Outcome[], prior: Gate, shrinkage: number): Gate {
  const observations = outcomes.flatMap(({ features, right }) =>
    features
      ? [
          {
            features: gateFeatures.map((name) => features[name] / gateScales[name]),
            happened: right,
          },
        ]
      : [],
  );
  const scaled = {
    intercept: prior.intercept,
    weights: gateFeatures.map((name) => prior.weights[name] * gateScales[name]),
  };
  const fitted = fitLogistic(observations, scaled, shrinkage);
  // More evidence never speaks against an answer: a negative weight would be noise.
  const weights = Object.fromEntries(
    gateFeatures.map((name, at) => [name, Math.max(0, fitted.weights[at] ?? 0) / gateScales[name]]),
  ) as Record<GateFeature, number>;
  return { intercept: carefulIntercept(weights, outcomes), weights };
}

function carefulIntercept(weights: Gate['weights'], outcomes: readonly Outcome[]): number {
  const absent = outcomes.filter(({ present }) => !present);
  const sums = absent
    .flatMap(({ features }) => (features ? [sumOf(weights, features)] : []))
    .sort((one, other) => other - one);
  // What found nothing never gets through, and is among those that may not.
  return -(sums[Math.floor(absent.length * falseAnswersMax)] ?? sums.at(-1) ?? 0);
}

const curveThresholds = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** What the gate would have done with these questions. */
export function curveOf(gate: Gate, outcomes: readonly Outcome[]): CurvePoint[] {
  const judged = outcomes.map((outcome) => ({
    ...outcome,
    probability: probabilityOf(gate, outcome.features),
  }));
  const present = judged.filter((one) => one.present);
  const absent = judged.filter((one) => !one.present);
  return curveThresholds.map((threshold) => {
    const answered = present.filter((one) => one.probability >= threshold);
    const wrong = absent.filter((one) => one.probability >= threshold);
    return {
      threshold,
      coverage: share(answered.length, present.length),
      precision: share(answered.filter((one) => one.right).length, answered.length),
      falseAnswers: share(wrong.length, absent.length),
    };
  });
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
