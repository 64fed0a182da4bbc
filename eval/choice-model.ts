/** Options that somebody chose among, each with its features; any of the right ones will do. */
export type Choice = { options: readonly (readonly number[])[]; right: readonly boolean[] };

const steps = 400;
const pace = 0.15;
/** Adam's usual decays. */
const [momentum, spread] = [0.9, 0.99];
const shrinkage = 1e-3;

/**
 * Weights of a conditional logit: a right option's share, when scores become odds, should be large.
 * No weight is negative, since every feature speaks for its option. Deterministic.
 */
export function fitChoice(choices: readonly Choice[], featureCount: number): number[] {
  const solvable = choices.filter(({ right }) => right.includes(true));
  const weights = new Array<number>(featureCount).fill(0);
  const drift = new Array<number>(featureCount).fill(0);
  const noise = new Array<number>(featureCount).fill(0);
  for (let step = 1; step <= steps; step++) {
    const gradient = gradientAt(weights, solvable);
    for (let at = 0; at < featureCount; at++) {
      const slope = (gradient[at] ?? 0) + shrinkage * (weights[at] ?? 0);
      const drifted = momentum * (drift[at] ?? 0) + (1 - momentum) * slope;
      const noisy = spread * (noise[at] ?? 0) + (1 - spread) * slope ** 2;
      const mean = drifted / (1 - momentum ** step);
      const deviation = Math.sqrt(noisy / (1 - spread ** step)) + 1e-8;
      weights[at] = Math.max(0, (weights[at] ?? 0) - (pace * mean) / deviation);
      drift[at] = drifted;
      noise[at] = noisy;
    }
  }
  return weights;
}

function gradientAt(weights: readonly number[], choices: readonly Choice[]): number[] {
  const gradient = weights.map(() => 0);
  for (const { options, right } of choices) {
    const scores = options.map((option) =>
      option.reduce((sum, value, at) => sum + value * (weights[at] ?? 0), 0),
    );
    const best = Math.max(...scores);
    const odds = scores.map((score) => Math.exp(score - best));
    const all = odds.reduce((sum, value) => sum + value, 0);
    const rightOnes = odds.reduce((sum, value, at) => sum + (right[at] ? value : 0), 0);
    for (const [at, option] of options.entries()) {
      const share = (odds[at] ?? 0) / all - (right[at] ? (odds[at] ?? 0) / rightOnes : 0);
      for (const [feature, value] of option.entries()) {
        gradient[feature] = (gradient[feature] ?? 0) + (share * value) / choices.length;
      }
    }
  }
  return gradient;
}
