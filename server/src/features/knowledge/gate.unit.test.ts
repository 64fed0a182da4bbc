import { describe, expect, test } from 'vitest';
import { gateFeatures, type GateVector } from './gate-features.ts';
import { curveOf, fitGate, type Outcome } from './gate-fit.ts';
import { probabilityOf } from './gate.ts';
import { gateDefaults } from './gate-weights.ts';
import { fitLogistic } from './logistic.ts';
import { rehearse } from './rehearsal.ts';
import type { Candidate } from './search.repository.ts';

const vector = (level: number): GateVector => ({
  score: 12 * level,
  margin: 6 * level,
  certainty: level,
  name: level,
  neighbours: level,
  length: 1.5,
});

describe('logistic regression', () => {
  const observations = Array.from({ length: 400 }, (_, at) => {
    const one = (at % 20) / 10 - 1;
    const other = Math.floor(at / 20) / 10 - 1;
    // A fixed share of each cell happens, as 1 / (1 + e^-(1 + 2 one - other)) says.
    return { features: [one, other], chance: 1 / (1 + Math.exp(-(1 + 2 * one - other))) };
  }).flatMap(({ features, chance }) =>
    Array.from({ length: 50 }, (_, at) => ({ features, happened: (at + 0.5) / 50 < chance })),
  );

  test('finds the weights that made the data', () => {
    const { intercept, weights } = fitLogistic(
      observations,
      { intercept: 0, weights: [0, 0] },
      1e-6,
    );
    expect(intercept).toBeCloseTo(1, 1);
    expect(weights[0]).toBeCloseTo(2, 1);
    expect(weights[1]).toBeCloseTo(-1, 1);
  });

  test('stays with its prior when that is held fast, and when there is nothing to learn from', () => {
    const prior = { intercept: 0.3, weights: [5, 7] };
    const held = fitLogistic(observations, prior, 1e9).weights;
    expect(held[0]).toBeCloseTo(5, 3);
    expect(held[1]).toBeCloseTo(7, 3);
    expect(fitLogistic([], prior, 1)).toEqual(prior);
  });

  test('ends with finite weights when the classes can be told apart perfectly', () => {
    const split = [-2, -1, 1, 2].map((value) => ({ features: [value], happened: value > 0 }));
    const { weights } = fitLogistic(split, { intercept: 0, weights: [0] }, 0.1);
    expect(weights[0]).toBeGreaterThan(1);
    expect(Number.isFinite(weights[0])).toBe(true);
  });
});

describe('the gate', () => {
  test('is sure of nothing when nothing was found, and surer the better the evidence', () => {
    expect(probabilityOf(gateDefaults, undefined)).toBe(0);
    const probabilities = [0, 0.25, 0.5, 0.75, 1].map((level) =>
      probabilityOf(gateDefaults, vector(level)),
    );
    expect(probabilities.toSorted((one, other) => one - other)).toEqual(probabilities);
    expect(probabilities[0]).toBeLessThan(0.1);
    expect(probabilities[4]).toBeGreaterThan(0.8);
  });

  const outcomes: Outcome[] = Array.from({ length: 100 }, (_, at) => [
    { features: vector(0.4 + at / 200), right: at > 10, present: true },
    { features: vector(at / 160), right: false, present: false },
  ]).flat();

  test('is set so that few of the questions without an answer pass 0.5', () => {
    const gate = fitGate(outcomes, gateDefaults, 100);
    const point = curveOf(gate, outcomes).find(({ threshold }) => threshold === 0.5);
    expect(point?.falseAnswers).toBeGreaterThan(0.04);
    expect(point?.falseAnswers).toBeLessThanOrEqual(0.09);
    expect(point?.precision).toBeGreaterThan(0.9);
    for (const name of gateFeatures) expect(gate.weights[name]).toBeGreaterThanOrEqual(0);
  });

  test('answers less the higher the threshold', () => {
    const coverages = curveOf(gateDefaults, outcomes).map(({ coverage }) => coverage);
    expect(coverages.toSorted((one, other) => other - one)).toEqual(coverages);
  });
});

describe('rehearsals', () => {
  const articles = Array.from({ length: 10 }, (_, at) => ({
    articleId: `article ${at}`,
    title: `How do I return item number ${at}`,
    headings: [`What does it cost to return ${at}`],
  }));

  test('are the same every time', () => {
    const texts = (): string[] => rehearse(articles).map(({ text }) => text);
    expect(texts()).toEqual(texts());
  });

  test('hide the words that a question was made of', () => {
    const heading = articles[0]?.headings[0] ?? '';
    const [disguise] = rehearse(articles).find(({ text }) => text === heading)?.disguises ?? [];
    const candidate = {
      article_id: 'article 0',
      heading,
      heading_terms: [['cost', [4]]],
      length: 10,
    } as unknown as Candidate;
    expect(disguise?.(candidate)).toMatchObject({ heading: '', heading_terms: [], length: 7 });
    const other = { ...candidate, article_id: 'article 1' };
    expect(disguise?.(other)).toBe(other);
  });

  test('have some questions that no article answers', () => {
    expect(rehearse(articles).filter(({ articleId }) => articleId === undefined)).toHaveLength(5);
  });
});
