import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answersOf, ask, fakeAiEnv, settled } from '../../../test/asking.ts';
import { factoriesEnv, metricsToken } from '../../../test/factories.ts';
import { startFakeAi } from '../../../test/fake-ai.ts';
import { startTestApp, until, type TestClient } from '../../../test/harness.ts';
import { startWebhookReceiver } from '../../../test/webhook-receiver.ts';

const fake = await startFakeAi();
const receiver = await startWebhookReceiver();
const app = await startTestApp({
  env: {
    ...factoriesEnv,
    ...fakeAiEnv(fake),
    AI_PRICES: 'groq:fake/answer=1/2',
    RUN_JOBS: 'true',
    SEARCHES_PER_MINUTE_MAX: '1',
    WEBHOOK_ALLOW: receiver.host,
    WEBHOOK_RETRY_SCHEDULE: '0,3600',
  },
});
let admin: TestClient;
let customer: TestClient;
beforeAll(async () => {
  await app.publish();
  admin = await app.as('admin');
  customer = await app.as('customer');
  await admin.patch('/api/v1/settings', { answer_threshold: 0 });
});
afterAll(async () => {
  await app.close();
  await Promise.all([fake.close(), receiver.close()]);
});

const scrape = { authorization: `Bearer ${metricsToken}` };

async function read(): Promise<string> {
  const { status, body } = await app.anonymous.get('/metrics', scrape);
  expect(status).toBe(200);
  return body;
}

/** The sum of the samples of a metric with these labels; undefined when there is none. */
async function valueOf(name: string, labels: Record<string, string> = {}) {
  const samples = (await read()).split('\n').filter((line) => /^\w+(?:\{.*\})? \S+$/.test(line));
  const found = samples.filter((line) => {
    const [, sample, own = ''] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? [];
    const isMeant = ([label, value]: [string, string]): boolean =>
      own.includes(`${label}="${value}"`);
    return sample === `support_assistant_${name}` && Object.entries(labels).every(isMeant);
  });
  if (found.length === 0) return undefined;
  return found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const model = { provider: 'groq', model: 'fake/answer' };

describe('an answer', () => {
  test('that is completed is timed, and its tokens and cost are counted', async () => {
    const { id } = await ask(customer);
    await settled(customer, id);
    const [answer] = await answersOf(app, id);
    await until('its event', () => valueOf('answers_ended_total', { state: 'completed' }));
    expect(await valueOf('answer_duration_seconds_count', { state: 'completed' })).toBe(1);
    expect(await valueOf('answer_first_text_seconds_count')).toBe(1);
    expect(
      await valueOf('ai_attempt_duration_seconds_count', { ...model, outcome: 'completed' }),
    ).toBe(1);
    expect(await valueOf('ai_tokens_total', { ...model, direction: 'in' })).toBe(
      answer?.input_tokens,
    );
    expect(await valueOf('ai_tokens_total', { ...model, direction: 'out' })).toBe(
      answer?.output_tokens,
    );
    expect(await valueOf('ai_cost_dollars_total', model)).toBeCloseTo(answer?.cost ?? -1, 9);
    expect(await valueOf('events_total', { type: 'ticket.created' })).toBe(1);
  });

  test('of a provider that fails shows the failure, the hand-over and the breaker', async () => {
    fake.script('invalid-api-key');
    await settled(customer, (await ask(customer)).id);
    const failed = { state: 'failed', handoff_reason: 'ai-failed' };
    await until('its event', () => valueOf('answers_ended_total', failed));
    expect(await valueOf('ai_attempt_duration_seconds_count', { outcome: 'refused' })).toBe(1);
    expect(await valueOf('ai_breaker_open', model)).toBe(1);
    app.clock.advance(60_000);
    expect(await valueOf('ai_breaker_open', model)).toBe(0);
  });
});

test('requests are timed by pattern and class, refusals counted by kind', async () => {
  const count = (labels: object) => valueOf('http_request_duration_seconds_count', { ...labels });
  const route = '/api/v1/tickets/:id';
  const before = (await count({ method: 'GET', route, status: '4xx' })) ?? 0;
  await customer.get('/api/v1/tickets/0199f3a0-0000-7000-8000-000000000000');
  await until('the request', async () => {
    return (await count({ method: 'GET', route, status: '4xx' })) === before + 1;
  });
  for (let times = 0; times < 3; times += 1) await customer.get('/api/v1/articles/search?q=shoes');
  const refused = { code: 'rate-limited', kind: 'search' };
  await until('both', async () => (await valueOf('http_errors_total', refused)) === 2);
});

test('deliveries are counted by how they end, and those that wait are seen', async () => {
  receiver.reply = (_received, response) => void response.writeHead(500).end();
  await admin.post('/api/v1/webhooks', { url: receiver.url, events: ['ticket.updated'] });
  const { body: ticket } = await admin.post('/api/v1/tickets', {
    title: 'Returns',
    description: 'x',
  });
  await admin.patch(`/api/v1/tickets/${ticket.id}`, { title: 'Returns again' });
  const failed = { outcome: 'failed' };
  await until('the attempt', () => valueOf('webhook_attempt_duration_seconds_count', failed));
  // The database is asked every five seconds at most.
  await until('the next look', () => valueOf('webhook_deliveries_pending'));
  expect(await valueOf('webhook_deliveries_late_seconds')).toBe(0);
  expect(await valueOf('database_up')).toBe(1);
});

test('an open stream is seen while it is open', async () => {
  const url = await app.listen();
  const leaving = new AbortController();
  const headers = { authorization: `Bearer ${admin.token}` };
  await fetch(`${url}/api/v1/events/stream`, { headers, signal: leaving.signal });
  expect(await valueOf('streams_open', { kind: 'live' })).toBe(1);
  leaving.abort();
  await until('it to close', async () => (await valueOf('streams_open', { kind: 'live' })) === 0);
});

test('a scrape has no id in it, and no text of anybody', async () => {
  const text = await read();
  expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
  expect(text).not.toMatch(/@|Returns|shoes/);
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
});

test('every metric stands in the docs, and every one that stands there exists', async () => {
  const names = [...(await read()).matchAll(/^# TYPE support_assistant_(\w+) /gm)].map(
    ([, name]) => name,
  );
  const page = await readFile(new URL('../../../../docs/operations.md', import.meta.url), 'utf8');
  const [, section = ''] = /^## Metrics\n(.*?)^## /ms.exec(page) ?? [];
  const documented = [...section.matchAll(/^\| `(\w+)/gm)].map(([, name]) => name);
  expect(documented.toSorted()).toEqual(names.toSorted());
});
