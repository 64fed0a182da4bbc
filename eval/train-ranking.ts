import { parseArgs } from 'node:util';
import { gateFeatures, gateFeaturesOf } from '../server/src/features/knowledge/gate-features.ts';
import { fitGate, type Outcome } from '../server/src/features/knowledge/gate-fit.ts';
import type { Gate } from '../server/src/features/knowledge/gate.ts';
import { questionOf, type Question } from '../server/src/features/knowledge/question.ts';
import {
  featuresOf,
  rankingFeatures,
  scoreOf,
  type RankingVector,
  type RankingWeights,
} from '../server/src/features/knowledge/ranking-features.ts';
import { withoutTitle } from '../server/src/features/knowledge/rehearsal.ts';
import {
  findCandidates,
  findTerms,
  type Candidate,
} from '../server/src/features/knowledge/search.repository.ts';
import { readDataSets, type Query } from './data-sets.ts';
import { withKnowledgeBase, type KnowledgeBase } from './knowledge-base.ts';
import { fitChoice, type Choice } from './choice-model.ts';
import { ratioOf } from './row.ts';

/*
 * Finds the weights of the ranking and of the gate. They are printed, and copied by hand into
 * ranking-weights.ts and gate-weights.ts, so that nobody changes them by accident.
 */

const usage = 'node eval/train-ranking.ts --data DIR [--set NAME]';
const candidatesMax = 40;
const folds = 5;
/** Questions whose right title is hidden: the answer often stands under a title of other words. */
const hiddenShare = 0.2;
const goldenRatio = 0.618;

/** A question with what BM25 found for it, as it is and with the right articles' titles hidden. */
type Example = { query: Query; question: Question; plain: Sight; hidden: Sight };
type Sight = { candidates: Candidate[]; vectors: RankingVector[]; right: boolean[] };

const { values } = parseArgs({
  options: { data: { type: 'string' }, set: { type: 'string', default: 'stackfaq' } },
});
if (values.data === undefined) {
  console.error(usage);
  process.exit(2);
}
const set = (await readDataSets(values.data)).find(({ name }) => name === values.set);
if (!set) throw new Error(`There is no retrieval_${values.set} in ${values.data}.`);

const examples = await withKnowledgeBase(async (base) => {
  await base.publish(set.documents);
  const read: Example[] = [];
  for (const query of set.queries) read.push(await exampleOf(query, base));
  return read;
});

const foldOf = new Map([...new Set(examples.map(groupOf))].map((group, at) => [group, at % folds]));
const heldOut: boolean[] = [];
for (let fold = 0; fold < folds; fold++) {
  const isHeldOut = (example: Example): boolean => foldOf.get(groupOf(example)) === fold;
  const weights = fitRanking(examples.filter((example) => !isHeldOut(example)));
  heldOut.push(...examples.filter(isHeldOut).map(({ plain }) => isFirst(plain, weights)));
}
const weights = fitRanking(examples);
console.log(
  `Right article first, in ${folds} folds of documents: ${ratioOf(heldOut, Boolean).toFixed(3)}`,
);
console.log('ranking', weights);
console.log('gate', fitShippedGate(weights));

function groupOf({ query }: Example): string {
  return query.gold[0] ?? '';
}

async function exampleOf(query: Query, base: KnowledgeBase): Promise<Example> {
  const found = await findTerms(base.db, undefined, query.text.split(/\s+/).filter(Boolean));
  const question = questionOf(query.text, found);
  const candidates = await findCandidates(base.db, undefined, question.weights, {
    limit: candidatesMax,
  });
  const isRight = ({ article_id }: Candidate): boolean =>
    query.gold.includes(base.documentOf(article_id) ?? '');
  const sightOf = (candidates: Candidate[]): Sight => ({
    candidates,
    vectors: featuresOf(question, candidates),
    right: candidates.map(isRight),
  });
  const hidden = candidates.map((one) => (isRight(one) ? withoutTitle(one.article_id)(one) : one));
  return { query, question, plain: sightOf(candidates), hidden: sightOf(hidden) };
}

function fitRanking(examples: readonly Example[]): RankingWeights {
  const choices = examples.map(({ plain, hidden }, at): Choice => {
    const { vectors, right } = (at * goldenRatio) % 1 < hiddenShare ? hidden : plain;
    return { options: vectors.map((vector) => rankingFeatures.map((name) => vector[name])), right };
  });
  const fitted = fitChoice(choices, rankingFeatures.length);
  return Object.fromEntries(
    rankingFeatures.map((name, at) => [name, Number((fitted[at] ?? 0).toFixed(2))]),
  ) as RankingWeights;
}

function bestOf({ vectors }: Sight, weights: RankingWeights): number {
  const scores = vectors.map((vector) => scoreOf(vector, weights));
  return scores.indexOf(Math.max(...scores));
}

function isFirst(sight: Sight, weights: RankingWeights): boolean {
  return sight.right[bestOf(sight, weights)] ?? false;
}

/** The gate's weights, and the usual spread of its features, from the same questions. */
function fitShippedGate(weights: RankingWeights): { gate: Gate; scales: Record<string, number> } {
  const outcomeOf = (question: Question, sight: Sight, present: boolean): Outcome => {
    const ranked = sight.candidates
      .map((candidate, at) => {
        const features = sight.vectors[at] as RankingVector;
        return { candidate, features, score: scoreOf(features, weights), right: sight.right[at] };
      })
      .sort((one, other) => other.score - one.score);
    return {
      features: gateFeaturesOf(question, ranked),
      right: ranked[0]?.right ?? false,
      present,
    };
  };
  const outcomes = examples.flatMap(({ question, plain, hidden }, at) => {
    const others = plain.candidates.filter((_, at) => !plain.right[at]);
    const absent: Sight = {
      candidates: others,
      vectors: featuresOf(question, others),
      right: others.map(() => false),
    };
    return [
      outcomeOf(question, plain, true),
      outcomeOf(question, absent, false),
      ...((at * goldenRatio) % 1 < hiddenShare ? [outcomeOf(question, hidden, true)] : []),
    ];
  });
  const nothing = Object.fromEntries(gateFeatures.map((name) => [name, 0])) as Gate['weights'];
  const spreadOf = (numbers: readonly number[]): number => {
    const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
    return Math.sqrt(numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / numbers.length);
  };
  const vectors = outcomes.flatMap(({ features }) => (features ? [features] : []));
  return {
    gate: fitGate(outcomes, { intercept: 0, weights: nothing }, 1),
    scales: Object.fromEntries(
      gateFeatures.map((name) => [name, spreadOf(vectors.map((vector) => vector[name]))]),
    ),
  };
}
