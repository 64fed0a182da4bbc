import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ask, fakeAiEnv, settled, startWithFakeAi, type AppWithFakeAi } from './asking.ts';
import { freePort } from './cli-process.ts';
import { startTestApp, until } from './harness.ts';
import { parseStream, readUntil } from './read-stream.ts';
import { startRedis, testRedisUrl } from './redis.ts';

const hasRedis = (await testRedisUrl()) !== undefined;
const isOnPostgres = inject('databases').serverUrl !== undefined;

describe.runIf(hasRedis)('with Redis as the bus', () => {
  let first: AppWithFakeAi['app'];
  let second: AppWithFakeAi['app'];
  let fake: AppWithFakeAi['fake'];
  let port: string;
  let redis: Awaited<ReturnType<typeof startRedis>>;

  beforeAll(async () => {
    port = await freePort();
    redis = await startRedis(port);
    const env = { REDIS_URL: `redis://127.0.0.1:${port}` };
    ({ app: first, fake } = await startWithFakeAi(env));
    second = await startTestApp({
      env: { ...fakeAiEnv(fake), ...env },
      sharing: first.testDatabase,
    });
    await until('both to hear of each other', async () => {
      const replies = [
        await first.anonymous.get('/health/ready'),
        await second.anonymous.get('/health/ready'),
      ];
      return replies.every(({ body }) => body.checks.bus.status === 'ok');
    });
  });
  afterAll(async () => {
    await second.close();
    await first.close();
    await fake.close();
    await redis.stop();
  });

  test.runIf(isOnPostgres)('an answer of one instance is read live at another', async () => {
    const customer = await first.as('customer');
    const hold = fake.hold();
    const { answerId, id } = await ask(customer);
    await hold.step(8);
    const base = await second.listen();
    const reading = readUntil(`${base}/api/v1/answers/${answerId}/events`, {
      token: customer.token,
      stop: (body) => body.includes('text-delta'),
    });
    expect(parseStream((await reading).body).text).not.toBe('');
    hold.release();
    await settled(customer, id);
  });

  test('gone, questions are answered all the same, and ready says what is worse', async () => {
    await redis.stop();
    const customer = await first.as('customer');
    const { id } = await ask(customer);
    const ticket = await settled(customer, id);
    expect(ticket.messages.at(-1).author.type).toBe('assistant');
    const ready = await until('it to be noticed', async () => {
      const reply = await first.anonymous.get('/health/ready');
      return reply.body.status === 'degraded' && reply;
    });
    expect(ready).toMatchObject({ status: 200, body: { checks: { bus: { status: 'degraded' } } } });
    redis = await startRedis(port);
    await until('it to be used again', async () => {
      return (await first.anonymous.get('/health/ready')).body.status === 'ok';
    });
  });
});
