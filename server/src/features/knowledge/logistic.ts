/** One question: its features, and whether the first passage was right. */
export type Observation = { features: readonly number[]; happened: boolean };

export type LogisticModel = { intercept: number; weights: number[] };

const stepsMax = 50;
const precision = 1e-9;
/** A full step can overshoot where the curve is flat. */
const stepLengthMax = 2;
/** So little that it only keeps the equations solvable when all observations are of one class. */
const interceptShrinkage = 1e-3;

/**
 * Logistic regression by Newton's method. `shrinkage` is how strongly the weights are drawn to
 * those of the prior, in units of observations; the intercept is free. The same input gives the
 * same model. Features should be about one unit wide.
 */
export function fitLogistic(
  observations: readonly Observation[],
  prior: LogisticModel,
  shrinkage: number,
): LogisticModel {
  const anchor = [prior.intercept, ...prior.weights];
  const pulls = anchor.map((_, at) => (at === 0 ? interceptShrinkage : shrinkage));
  const rows = observations.map(({ features }) => [1, ...features]);
  let model = anchor;
  for (let step = 0; step < stepsMax; step++) {
    const chances = rows.map((row) => 1 / (1 + Math.exp(-dot(model, row))));
    const misses = chances.map((chance, at) => chance - (observations[at]?.happened ? 1 : 0));
    const doubts = chances.map((chance) => chance * (1 - chance));
    const gradient = model.map(
      (value, one) =>
        place(pulls, one) * (value - place(anchor, one)) +
        total(rows, (row, at) => place(misses, at) * place(row, one)),
    );
    const hessian = model.map((_, one) =>
      model.map(
        (_, other) =>
          (one === other ? place(pulls, one) : 0) +
          total(rows, (row, at) => place(doubts, at) * place(row, one) * place(row, other)),
      ),
    );
    const change = solve(hessian, gradient);
    const length = Math.hypot(...change);
    const shortened = Math.max(1, length / stepLengthMax);
    model = model.map((value, at) => value - place(change, at) / shortened);
    if (length < precision) break;
  }
  const [intercept = 0, ...weights] = model;
  return { intercept, weights };
}

const place = (numbers: readonly number[], at: number): number => numbers[at] ?? 0;

const total = <Item>(items: readonly Item[], of: (item: Item, at: number) => number): number =>
  items.reduce((sum, item, at) => sum + of(item, at), 0);

const dot = (one: readonly number[], other: readonly number[]): number =>
  total(one, (value, at) => value * place(other, at));

/** Gauss's elimination and substitution, for a positive definite matrix. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  let [first, ...rest] = matrix.map((row, at) => [...row, place(right, at)]);
  const triangle: number[][] = [];
  for (let pivot = 0; first; pivot++) {
    const head = first;
    triangle.push(head);
    [first, ...rest] = rest.map((row) => {
      const factor = place(row, pivot) / place(head, pivot);
      return row.map((value, at) => value - factor * place(head, at));
    });
  }
  const solution = new Array<number>(right.length).fill(0);
  for (const [at, row] of [...triangle.entries()].reverse()) {
    const known = dot(row.slice(0, -1), solution);
    solution[at] = (place(row, right.length) - known) / place(row, at);
  }
  return solution;
}
