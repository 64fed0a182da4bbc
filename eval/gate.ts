import { calibrate } from '../server/src/features/knowledge/gate-calibration.ts';
import { saveCalibration } from '../server/src/features/knowledge/gate.repository.ts';
import type { DataSet, Query } from './data-sets.ts';
import type { KnowledgeBase } from './knowledge-base.ts';
import { atLeast, atMost, ratioOf, type Row } from './row.ts';

/** What the gate says of a question. `right`: the first passage is of an article that answers it. */
export type Judgement = { probability: number; right: boolean };

export type Judgements = { present: Judgement[]; removed: Judgement[]; offTopic: Judgement[] };

/** The operating point at which the product runs unless its settings say otherwise. */
const threshold = 0.5;

/** What the gate lets through: with the shipped weights, and after it has calibrated itself. */
export async function measureGate(set: DataSet, base: KnowledgeBase): Promise<Row[]> {
  const shipped = gateRows(`gate ${set.name}, shipped`, await judge(set, base));
  const startedAt = performance.now();
  const calibration = await calibrate(base.db);
  if (!calibration) return shipped;
  const tookMs = performance.now() - startedAt;
  await saveCalibration(base.db, calibration);
  const calibrated = gateRows(`gate ${set.name}, calibrated`, await judge(set, base));
  return [
    ...shipped,
    ...calibrated,
    {
      measure: `gate ${set.name}: calibration`,
      value: tookMs,
      unit: 'ms',
      reach: '',
      reached: true,
      note: `${calibration.samples} questions rehearsed`,
    },
  ];
}

function gateRows(name: string, { present, removed, offTopic }: Judgements): Row[] {
  const passes = ({ probability }: Judgement): boolean => probability >= threshold;
  const answered = present.filter(passes);
  const row = (measure: string, reach: Pick<Row, 'value' | 'reach' | 'reached'>): Row => ({
    measure: `${name}: ${measure}`,
    unit: 'ratio',
    ...reach,
  });
  return [
    row('answered', atLeast(ratioOf(present, passes), 0.45)),
    row(
      'right among answered',
      atLeast(
        ratioOf(answered, ({ right }) => right),
        0.9,
      ),
    ),
    row('answered, article removed', atMost(ratioOf(removed, passes), 0.12)),
    ...(offTopic.length > 0
      ? [row('answered, off topic', atMost(ratioOf(offTopic, passes), 0.05))]
      : []),
  ];
}

/** Asks every question with its article, without it, and the questions that are off topic. */
async function judge(
  { queries, offTopic }: Pick<DataSet, 'queries' | 'offTopic'>,
  base: KnowledgeBase,
): Promise<Judgements> {
  async function ask({ text, gold }: Pick<Query, 'text' | 'gold'>): Promise<Judgement> {
    const request = { texts: [text], limit: 1, tokenBudget: Infinity };
    const { passages, evidence } = await base.retrieve(undefined, request);
    const first = base.documentOf(passages[0]?.article_id ?? '');
    return { probability: evidence.probability, right: gold.includes(first ?? '') };
  }
  const askAll = async (asked: readonly Pick<Query, 'text' | 'gold'>[]): Promise<Judgement[]> => {
    const judgements: Judgement[] = [];
    for (const query of asked) judgements.push(await ask(query));
    return judgements;
  };
  const present = await askAll(queries);
  const removed: Judgement[] = [];
  for (const asked of Map.groupBy(queries, ({ gold }) => gold.join(' ')).values()) {
    removed.push(...(await base.without(asked[0]?.gold ?? [], () => askAll(asked))));
  }
  return { present, removed, offTopic: await askAll(offTopic.map((text) => ({ text, gold: [] }))) };
}
