import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { knowledgeBaseOn, type KnowledgeBase } from '../../../../eval/knowledge-base.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { until } from '../../../test/harness.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { SettingsService } from '../settings/settings.service.ts';
import { calibrate, calibrationArticlesMin } from './gate-calibration.ts';
import { findCalibration, findGate, findVersion, saveCalibration } from './gate.repository.ts';
import { createGateService } from './gate.service.ts';
import { findTerms } from './search.repository.ts';
import { createVocabulary } from './vocabulary.ts';

let testDatabase: TestDatabase;
let base: KnowledgeBase;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  base = knowledgeBaseOn(testDatabase.database.db);
  await base.publish([
    {
      id: 'late',
      title: 'My parcel is late',
      body: '## What should I do?\n\nWait three working days.\n\n## Express\n\nWe refund the surcharge of a late express parcel.',
    },
    { id: 'invoice', title: 'Invoices', body: 'Download the invoice from your account.' },
    {
      id: 'goodwill',
      title: 'Late parcel goodwill',
      body: 'Agents may grant a voucher.',
      audience: 'internal',
    },
  ]);
});
afterAll(async () => {
  await base.stop();
  await testDatabase.drop();
});

const roomy = { limit: 6, tokenBudget: 1_800 };
const ask = async (...texts: string[]) => {
  const { passages, evidence } = await base.retrieve(undefined, { texts, ...roomy });
  const documents = passages.map(({ article_id }) => base.documentOf(article_id));
  return { documents: [...new Set(documents)], passages, evidence };
};

describe('retrieval', () => {
  test('finds the article, with evidence, and never what is for staff only', async () => {
    const { documents, passages, evidence } = await ask('where is my late parcel');
    expect(documents).toEqual(['late']);
    expect(passages[0]).toMatchObject({ title: 'My parcel is late', version: 1 });
    expect(evidence.probability).toBeGreaterThan(0.5);
    expect(evidence.answerable).toBe(true);
    expect(evidence.knowledgeVersion).toBe(await findVersion(base.db));
  });

  test('knows when nothing was found', async () => {
    const { passages, evidence } = await ask('zeppelin');
    expect(passages).toEqual([]);
    expect(evidence).toMatchObject({ probability: 0, answerable: false, features: {} });
    expect(evidence.knowledgeVersion).toBeGreaterThan(0);
  });

  test('is unsure of a question most words of which nobody wrote about', async () => {
    const clear = await ask('express surcharge');
    const foggy = await ask('express zeppelin quasar flight to jupiter surcharge');
    expect(foggy.documents).toEqual(clear.documents);
    expect(foggy.evidence.probability).toBeLessThan(clear.evidence.probability);
  });

  test('understands a misspelt word as the articles spell it', async () => {
    expect((await ask('invoce')).documents).toEqual(['invoice']);
    expect((await ask('acount')).documents).toEqual(['invoice']);
  });

  test('corrects nothing while the words cannot be read', async () => {
    const correct = createVocabulary({ db: base.db });
    const ask = async () =>
      correct(undefined, await findTerms(base.db, undefined, ['invoce']), 'english');
    await sql`alter table article_versions rename to hidden_versions`.execute(base.db);
    try {
      expect((await ask()).corrected.size).toBe(0);
    } finally {
      await sql`alter table hidden_versions rename to article_versions`.execute(base.db);
    }
    await until('the words', async () => (await ask()).corrected.has('invoic'));
  });

  test('tells nobody but staff which words stand in internal articles', async () => {
    const [internal, unknown] = [
      await ask('late parcel voucher'),
      await ask('late parcel zeppelin'),
    ];
    expect(internal.passages).toEqual(unknown.passages);
    expect(internal.evidence).toEqual(unknown.evidence);
    expect((await ask('vouchre')).passages).toEqual([]);
    const staff = { id: '', role: 'agent', name: 'Agent', sessionId: '' } as const;
    const { passages } = await base.retrieve(staff, { texts: ['voucher'], ...roomy });
    expect(passages.map(({ article_id }) => base.documentOf(article_id))).toEqual(['goodwill']);
  });

  test('the form of the question with the better evidence leads', async () => {
    const alone = await ask('and for express?');
    const both = await ask('and for express?', 'My parcel is late and for express?');
    expect(both.passages[0]?.heading).toBe('Express');
    expect(both.evidence.probability).toBeGreaterThan(alone.evidence.probability);
  });

  test('the threshold is the caller’s', async () => {
    const request = { texts: ['late parcel'], ...roomy };
    const { evidence } = await base.retrieve(undefined, { ...request, threshold: 1 });
    expect(evidence.answerable).toBe(false);
  });

  test('an article that is taken back is not found, and is found again afterwards', async () => {
    await base.without(['invoice'], async () => {
      expect((await ask('invoice')).passages).toEqual([]);
    });
    expect((await ask('invoice')).documents).toEqual(['invoice']);
  });

  test('odd input is no error', async () => {
    for (const text of [
      '',
      ' \n',
      '& | ! ( )',
      "'; drop table articles; --",
      '🚀 \ud800',
      'a\0b',
      'the of',
    ]) {
      expect((await ask(text)).evidence.answerable).toBe(false);
    }
    expect((await ask()).passages).toEqual([]);
    expect((await ask(`late parcel ${'very '.repeat(5_000)}`)).documents).toEqual(['late']);
  });
});

describe('calibration', () => {
  const things = ['tent', 'boot', 'stove', 'jacket', 'pole', 'lamp', 'rope', 'map', 'mug', 'bag'];
  const deeds = ['repair', 'clean', 'return', 'order', 'store', 'fold'];
  const documents = things.flatMap((thing) =>
    deeds.map((deed) => ({
      id: `${deed} ${thing}`,
      title: `How do I ${deed} my ${thing}?`,
      body: `To ${deed} a ${thing}, follow the guide. Every ${thing} has its own ${deed} steps.`,
    })),
  );

  test('leaves a small base with the shipped weights', async () => {
    expect(await calibrate(base.db)).toBeUndefined();
    expect(await findGate(base.db)).toBeUndefined();
  });

  test('gives the same gate twice, which is used from then on', async () => {
    expect(documents.length).toBeGreaterThan(calibrationArticlesMin);
    await base.publish(documents);
    const before = (await ask('how to fold the tent')).evidence.probability;
    const [one, other] = [await calibrate(base.db), await calibrate(base.db)];
    expect(one).toEqual(other);
    if (!one) throw new Error('There is no calibration.');
    expect(one.samples).toBeGreaterThan(50);
    expect(one.knowledgeVersion).toBe(await findVersion(base.db));
    const careful = one.curve.find(({ threshold }) => threshold === 0.5);
    expect(careful?.falseAnswers).toBeLessThanOrEqual(0.1);

    await saveCalibration(base.db, one);
    await saveCalibration(base.db, { ...one, knowledgeVersion: one.knowledgeVersion - 1 });
    expect(await findCalibration(base.db)).toEqual(one);
    const after = await ask('how to fold the tent');
    expect(after.documents[0]).toBe('fold tent');
    expect(after.evidence.probability).not.toBe(before);
  });

  test('is forgotten when the articles have become too few', async () => {
    let requests = 0;
    const gate = createGateService({
      db: base.db,
      jobs: { send: async () => void (requests += 1) } as unknown as Jobs,
      settings: { get: async () => ({ language: 'english' }) } as unknown as SettingsService,
    });
    const ids = documents.map(({ id }) => id);
    await base.without(ids, async () => {
      await gate.calibrate({ signal: AbortSignal.abort() });
      expect(await findGate(base.db)).toBeDefined();
      // An article that is published in between.
      await sql`
        create rule meanwhile as on delete to gate_calibrations
          do also update knowledge_totals set version = version + 1`.execute(base.db);
      await gate.calibrate({ signal: new AbortController().signal });
      await sql`drop rule meanwhile on gate_calibrations`.execute(base.db);
      expect(await findGate(base.db)).toBeUndefined();
      expect(requests).toBe(1);
      await gate.calibrate({ signal: new AbortController().signal });
      expect(requests).toBe(1);
    });
  });

  test('ends when it is told to', async () => {
    expect(await calibrate(base.db, { signal: AbortSignal.abort() })).toBeUndefined();
  });
});
