import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBaseline, readShop, scoreShop, type ShopScores } from '../../eval/demo-shop.ts';
import { knowledgeBaseOn } from '../../eval/knowledge-base.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

let testDatabase: TestDatabase;
let scores: ShopScores;
let baseline: ShopScores;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const base = knowledgeBaseOn(testDatabase.database.db);
  await base.publish(await readShop());
  [scores, baseline] = [await scoreShop(base), await readBaseline()];
});
afterAll(() => testDatabase.drop());

/** One question of a hundred. */
const dropMax = 0.01;

test.each([
  'first',
  'firstFive',
  'answered',
  'rightAmongAnswered',
  'silentOnMissing',
  'silentOffTopic',
] as const)('the demo shop does no worse than its baseline: %s', (name) => {
  expect(scores[name]).toBeGreaterThanOrEqual(baseline[name] - dropMax);
});
