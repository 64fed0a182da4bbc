import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeAiEnv } from './asking.ts';
import { createTestDatabase } from './database.ts';
import { startFakeAi } from './fake-ai.ts';
import { until } from './harness.ts';
import type { Json } from './reply.ts';
import { demoToken, request, startServerProcess } from './server-process.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';

const mark = 'zanzibar';
const traceId = '0af7651916cd43dd8448eb211c80319c';
const callerId = 'b7ad6b7169203331';

type Span = { name: string; traceId: string; spanId: string; parentSpanId?: string };

/** A collector on loopback, and what it was sent. */
const spans: Span[] = [];
let received = '';
const collector = createServer((incoming, response) => {
  void json(incoming).then((body) => {
    received += JSON.stringify(body);
    for (const { scopeSpans } of (body as Json).resourceSpans) {
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
});

const receiver = await startWebhookReceiver();
const fake = await startFakeAi();
const testDatabase = await createTestDatabase();
let dataDir: string;

/** A customer asks with a trace of their own, while a webhook listens; then the server stops. */
beforeAll(async () => {
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  dataDir = await mkdtemp(join(tmpdir(), 'support-traces-'));
  const server = await startServerProcess({
    DATA_DIR: dataDir,
    ...(testDatabase.url && { DATABASE_URL: testDatabase.url }),
    ...fakeAiEnv(fake),
    WEBHOOK_ALLOW: receiver.host,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
  });
  const admin = await demoToken(server.url, dataDir, 'admin');
  const customer = await demoToken(server.url, dataDir, 'customer');
  await request(server.url, '/webhooks', {
    token: admin,
    body: { url: `${receiver.url}?${mark}`, events: ['answer.*'] },
  });
  const articles = [{ path: 'zips.md', content: `# Zips\n\nWe mend zips for ${mark}.` }];
  await request(server.url, '/articles/import', { token: admin, body: { articles } });
  await fetch(`${server.url}/api/v1/tickets?${mark}=1`);
  await fetch(`${server.url}/api/v1/tickets`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${customer}`,
      'content-type': 'application/json',
      traceparent: `00-${traceId}-${callerId}-01`,
    },
    body: JSON.stringify({
      title: `Shoes of ${mark}`,
      description: `How long do I have to return shoes, ${mark}@example.com?`,
    }),
  });
  await until('the webhook', () => receiver.received.length > 0, 30_000);
  await server.stop('SIGTERM');
});
afterAll(async () => {
  collector.close();
  await Promise.all([receiver.close(), fake.close(), testDatabase.drop()]);
  await rm(dataDir, { recursive: true, force: true });
});

const spanNamed = (name: string): Span => {
  const found = spans.find((span) => span.name === name);
  if (!found)
    throw new Error(`no span "${name}" among ${spans.map((span) => span.name).join(', ')}`);
  return found;
};

test('a request is under its caller, and the answer with its steps under the request', () => {
  const requested = spanNamed('POST /api/v1/tickets');
  expect(requested).toMatchObject({ traceId, parentSpanId: callerId });
  const answer = spanNamed('answer');
  expect(answer).toMatchObject({ traceId, parentSpanId: requested.spanId });
  for (const step of ['search the articles', 'ask a model', 'save the answer']) {
    expect(spanNamed(step), step).toMatchObject({ traceId, parentSpanId: answer.spanId });
  }
});

test('attempts at webhooks and jobs have spans, and receivers are told of none', () => {
  expect(spanNamed('attempt a delivery').traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(spans.some(({ name }) => name.startsWith('job '))).toBe(true);
  expect(receiver.received[0]?.headers).not.toHaveProperty('traceparent');
});

test('health checks have none, and no span has content, an address or a query', () => {
  expect(received).not.toContain('/health');
  expect(received.toLowerCase()).not.toContain(mark);
  expect(received).not.toMatch(/@example|Bearer|shoes/);
});
