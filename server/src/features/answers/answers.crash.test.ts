import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fakeAiEnv } from '../../../test/asking.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { startFakeAi, type FakeAi } from '../../../test/fake-ai.ts';
import { until } from '../../../test/harness.ts';
import { parseStream, readUntil } from '../../../test/read-stream.ts';
import {
  demoToken,
  request,
  startServerProcess,
  type ServerProcess,
} from '../../../test/server-process.ts';

let fake: FakeAi;
let dataDir: string;
let testDatabase: TestDatabase;
let env: Record<string, string>;
let running: ServerProcess | undefined;

beforeAll(async () => {
  fake = await startFakeAi();
  dataDir = await mkdtemp(join(tmpdir(), 'support-crash-'));
  testDatabase = await createTestDatabase();
  env = {
    ...fakeAiEnv(fake),
    DATA_DIR: dataDir,
    ...(testDatabase.url && { DATABASE_URL: testDatabase.url }),
    ANSWER_LEASE_MS: '1500',
    ANSWER_SWEEP_MS: '300',
    SHUTDOWN_DRAIN_MS: '50',
  };
});
beforeEach(async () => {
  await running?.stop('SIGKILL');
  fake.reset();
});
afterAll(async () => {
  await running?.stop('SIGKILL');
  await fake.close();
  await testDatabase.drop();
  await rm(dataDir, { recursive: true, force: true });
});

const restart = async (): Promise<ServerProcess> => (running = await startServerProcess(env));

const endedTicket = (url: string, token: string, id: string) =>
  until(
    'the answer to end after the restart',
    async () => {
      const ticket = await request(url, `/tickets/${id}`, { token });
      return ticket.answer === null && ticket;
    },
    30_000,
  );

const open = (url: string, token: string) =>
  request(url, '/tickets', {
    token,
    body: { title: 'Returns', description: 'How long do I have to return shoes?' },
  });

test('after kill -9 an unshown answer is given again, a shown one is kept and goes to people', async () => {
  const before = await restart();
  const token = await demoToken(before.url, dataDir, 'customer');

  // One answer that has shown something, one that has shown nothing.
  const hold = fake.hold();
  const shownTicket = await open(before.url, token);
  await hold.step(6);
  const stream = await readUntil(`${before.url}/api/v1/tickets/${shownTicket.id}/ai-response`, {
    token,
    stop: (body) => body.includes('text-delta'),
  });
  const shown = parseStream(stream.body).text;
  expect(shown).not.toBe('');
  const unshownTicket = await open(before.url, token);
  await fake.received(2);

  expect(await before.stop('SIGKILL')).toBeNull();
  hold.release();
  const after = await restart();
  const newToken = await demoToken(after.url, dataDir, 'customer');

  const answered = await endedTicket(after.url, newToken, unshownTicket.id);
  expect(answered.messages.at(-1)).toMatchObject({
    author: { type: 'assistant' },
    answer_state: 'completed',
  });
  const kept = await endedTicket(after.url, newToken, shownTicket.id);
  expect(kept.messages).toHaveLength(2);
  expect(kept.messages[1].answer_state).toBe('incomplete');
  expect(kept.messages[1].content.startsWith(shown)).toBe(true);
  expect(kept).toMatchObject({ assistant: 'paused', handoff: { reason: 'ai-incomplete' } });
});

test('SIGTERM hands an unshown answer back, exits 0, and the next process gives it', async () => {
  const before = await restart();
  const token = await demoToken(before.url, dataDir, 'customer');
  const hold = fake.hold();
  const ticket = await open(before.url, token);
  await fake.received(1);
  expect(await before.stop('SIGTERM')).toBe(0);
  hold.release();
  const after = await restart();
  const answered = await endedTicket(
    after.url,
    await demoToken(after.url, dataDir, 'customer'),
    ticket.id,
  );
  expect(answered.messages.at(-1).answer_state).toBe('completed');
});
