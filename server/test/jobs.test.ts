import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { transaction } from '../src/platform/database/transaction.ts';
import { installJobs } from '../src/platform/jobs/boss.ts';
import { countDeadLetters } from '../src/platform/jobs/dead-letters.ts';
import { createJobs, type Jobs } from '../src/platform/jobs/jobs.ts';
import type { Queue } from '../src/platform/jobs/queue.ts';
import { jobStoreOf } from '../src/resources.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { until } from './harness.ts';

type Word = { word: string };
const queueNamed = (name: string, more: Partial<Queue<Word>> = {}): Queue<Word> => ({
  name,
  retries: 0,
  timeoutSeconds: 60,
  ...more,
});
const plain = queueNamed('plain');
const rolledBack = queueNamed('rolled-back');
const unsteady = queueNamed('unsteady', { retries: 1, retryDelaySeconds: 0 });
const hopeless = queueNamed('hopeless');
const slow = queueNamed('slow', { retries: 1, retryDelaySeconds: 600 });
const delayed = queueNamed('delayed', { coalesces: true });
const queues = [plain, rolledBack, unsteady, hopeless, slow, delayed];

let testDatabase: TestDatabase;
let db: TestDatabase['database']['db'];
let jobs: Jobs;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  db = testDatabase.database.db;
  jobs = await open(true);
});
afterAll(async () => {
  await jobs.stop(0);
  await testDatabase.drop();
});

async function open(works: boolean): Promise<Jobs> {
  const logger = pino({ level: 'silent' });
  const store = jobStoreOf(testDatabase.database);
  const opened = createJobs(store, { works, migrates: false, queues, logger });
  await opened.start();
  return opened;
}

const send = (
  queue: Queue<Word>,
  word: string,
  options: { key?: string; afterSeconds?: number } = {},
) => transaction(db, (db) => jobs.send(db, queue, { word }, options));

const statesIn = async (queue: string): Promise<string[]> => {
  const { rows } = await sql<{ state: string }>`
    select state::text as state from pgboss.job where name = ${queue}`.execute(db);
  return rows.map(({ state }) => state);
};

test('a job of a committed transaction runs within a second, one of a rolled-back one never', async () => {
  const words: string[] = [];
  await jobs.work(rolledBack, async ({ word }) => void words.push(word));
  const taken = transaction(db, async (db) => {
    await jobs.send(db, rolledBack, { word: 'never' });
    throw new Error('changed my mind');
  });
  await expect(taken).rejects.toThrow('changed my mind');
  await send(rolledBack, 'now');
  await until('the committed job', () => words.length > 0, 1_000);
  expect(words).toEqual(['now']);
  expect(await statesIn(rolledBack.name)).toHaveLength(1);
});

test('a process that does not work leaves the jobs that it sends to one that does', async () => {
  const words: string[] = [];
  const web = await open(false);
  await web.work(plain, async ({ word }) => void words.push(`web ${word}`));
  await jobs.work(plain, async ({ word }) => void words.push(`worker ${word}`));
  await transaction(db, (db) => web.send(db, plain, { word: 'sent' }));
  await until('the job', () => words.length > 0, 1_000);
  expect(words).toEqual(['worker sent']);
  await web.stop(0);
});

test('a job that throws runs again, and ends in its queue when it gets through', async () => {
  let tries = 0;
  await jobs.work(unsteady, async () => {
    tries += 1;
    if (tries === 1) throw new Error('not yet');
  });
  await send(unsteady, 'again');
  await until('the second try', async () => (await statesIn(unsteady.name)).includes('completed'));
  expect(tries).toBe(2);
  expect(await countDeadLetters(db)).toBe(0);
});

test('a job that has failed for the last time is a dead letter, with its reason but not its stack', async () => {
  await jobs.work(hopeless, async () => {
    throw new TypeError('cannot be done');
  });
  expect(await countDeadLetters(db)).toBe(0);
  await send(hopeless, 'doomed');
  await until('the dead letter', async () => (await countDeadLetters(db)) === 1);
  const { rows } = await sql<{ output: { message: string; stack?: string } }>`
    select output from pgboss.job where name = ${hopeless.name}`.execute(db);
  expect(rows[0]?.output.message).toBe('TypeError: cannot be done');
  expect(JSON.stringify(rows)).not.toContain('jobs.test.ts');
});

test('a process that starts before the tables are there works as soon as they are', async () => {
  const bare = await createTestDatabase();
  await sql`drop schema pgboss cascade`.execute(bare.database.db);
  const logger = pino({ level: 'silent' });
  const store = jobStoreOf(bare.database);
  const early = createJobs(store, { works: true, migrates: false, queues, logger });
  await early.start();
  const words: string[] = [];
  await early.work(plain, async ({ word }) => void words.push(word));
  await installJobs(store, queues);
  await until('the job to be taken', async () => {
    await transaction(bare.database.db, (db) => early.send(db, plain, { word: 'at last' })).catch(
      () => undefined,
    );
    return words.length > 0;
  });
  expect(words[0]).toBe('at last');
  await early.stop(0);
  await bare.drop();
});

test('of many that coalesce one waits for each key', async () => {
  for (const word of ['a', 'b', 'c']) await send(delayed, word, { key: 'one', afterSeconds: 600 });
  await send(delayed, 'd', { key: 'two', afterSeconds: 600 });
  expect(await statesIn(delayed.name)).toEqual(['created', 'created']);
});

test('stopping waits for the work in hand, and breaks off what takes longer than it may', async () => {
  const worker = await open(true);
  const events: string[] = [];
  let finish: () => void = () => undefined;
  await worker.work(slow, async ({ word }, { signal }) => {
    events.push(`begins ${word}`);
    await new Promise<void>((resolve) => {
      finish = resolve;
      signal.addEventListener('abort', () => resolve());
    });
    signal.throwIfAborted();
    events.push(`ends ${word}`);
  });
  await send(slow, 'first');
  await until('the first job', () => events.length === 1);
  const stopped = worker.stop(30_000);
  finish();
  await stopped;
  expect(events).toEqual(['begins first', 'ends first']);
  expect(await statesIn(slow.name)).toEqual(['completed']);

  const impatient = await open(true);
  await impatient.work(slow, async (_data, { signal }) => {
    events.push('begins second');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    events.push('is told to stop');
    signal.throwIfAborted();
  });
  await send(slow, 'second');
  await until('the second job', () => events.includes('begins second'));
  await impatient.stop(1);
  expect(events.at(-1)).toBe('is told to stop');
  expect((await statesIn(slow.name)).sort()).toEqual(['completed', 'retry']);
});
