import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBaseline, readShop, scoreShop, type ShopScores } from '../../eval/demo-shop.ts';
import { knowledgeBaseOn } from '../../eval/knowledge-base.ts';
import { ask, settled } from './asking.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { startTestApp, type TestApp } from './harness.ts';
import { defaultSettings } from '../src/features/settings/settings.defaults.ts';

let testDatabase: TestDatabase;
let scores: ShopScores;
let baseline: ShopScores;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const base = knowledgeBaseOn(testDatabase.database.db);
  await base.publish(await readShop());
  [scores, baseline] = [await scoreShop(base), await readBaseline()];
  await base.stop();
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

describe('asked over HTTP, without a key', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
    for (const { id: _file, ...article } of await readShop()) await app.publish(article);
  });
  afterAll(() => app.close());

  const asked = async (question: string) => {
    const customer = await app.as('customer');
    const { id } = await ask(customer, question, question);
    return settled(customer, id);
  };

  test.each([
    ['How long do I have to return shoes?', 'How long do I have to return an item?'],
    ['My parcel is late', 'My parcel is late or lost'],
    ['Where is my order?', 'Where is my order?'],
  ])('%j is answered from the right article', async (question, title) => {
    const { messages, status } = await asked(question);
    expect(messages[1].citations[0]).toMatchObject({ n: 1, title });
    expect(messages[1].content).toContain(`From *${title}`);
    expect(status).toBe('pending');
  });

  test.each(['Do you rent out kayaks by the hour?', 'What is the capital of France?'])(
    '%j, which no article answers, is offered a person',
    async (question) => {
      const { messages, status } = await asked(question);
      expect(messages[1].content).toBe(defaultSettings.lines.no_answer);
      expect(status).toBe('pending');
    },
  );

  test('who wants a person is handed over at once', async () => {
    const ticket = await asked('I want to talk to a human');
    expect(ticket.messages[1].content).toBe(defaultSettings.lines.handed_off);
    expect(ticket).toMatchObject({ status: 'open', handoff: { reason: 'requested' } });
  });

  test('publishing, editing and archiving an article changes the very next answer', async () => {
    const admin = await app.as('admin');
    const question = 'Do you rent out kayaks by the hour?';
    const id = await app.publish({ title: question, body: 'Yes, for 12 euros an hour.' });
    expect((await asked(question)).messages[1].content).toContain('12 euros');
    await admin.patch(`/api/v1/articles/${id}`, { body: 'Yes, for 15 euros an hour.' });
    expect((await asked(question)).messages[1].content).toContain('15 euros');
    await admin.patch(`/api/v1/articles/${id}`, { status: 'archived' });
    expect((await asked(question)).messages[1].content).toBe(defaultSettings.lines.no_answer);
  });
});
