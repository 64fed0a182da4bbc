import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyWebhook } from '../../client/src/client.ts';
import { runCli, runJson, startCli } from './cli-process.ts';
import { createFactories, unknownId } from './factories.ts';
import { startTestApp, testPassword, until, type TestClient } from './harness.ts';
import { startWebhookReceiver, type Received } from './webhook-receiver.ts';

const receiver = await startWebhookReceiver();
const app = await startTestApp({
  env: { RUN_JOBS: 'true', WEBHOOK_ALLOW: receiver.host, WEBHOOK_RETRY_SCHEDULE: '0' },
});
const make = createFactories(app);
let admin: TestClient;
let as: string[];

beforeAll(async () => {
  admin = await app.as('admin');
  const url = await app.listen();
  as = ['--url', url, '--email', admin.user.email, '--password', testPassword];
});
afterAll(async () => {
  await app.close();
  await receiver.close();
});

test('webhooks deliveries says when there is nothing to show', async () => {
  const { code, stdout } = await runCli(['webhooks', 'deliveries', ...as], {});
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'There are no webhooks.\n' });
});

test('webhooks listen forwards what happens, as a webhook would send it', async () => {
  const words = [
    'webhooks',
    'listen',
    '--forward-to',
    receiver.url,
    '--events',
    'ticket.*,message.*',
  ];
  const { output, stop, ended } = startCli([...words, ...as], {});
  const [, secret = ''] =
    /Signs with (whsec_\S+)/.exec(
      await until('it to listen', () => output().includes('whsec_') && output()),
    ) ?? [];
  const id = await make.ticket(await app.as('customer'));
  await admin.patch(`/api/v1/tickets/${id}`, { status: 'resolved' });
  await until('the change of status', () => output().includes('ticket.status_changed  200 in'));
  const bodies = await Promise.all(
    receiver.received.map(({ headers, text }) => verifyWebhook(secret, headers, text)),
  );
  expect(bodies).toMatchObject([
    { type: 'ticket.created', sequence: 1 },
    { type: 'message.created', data: { object: { content: 'How long may I return shoes?' } } },
    { type: 'ticket.status_changed', data: { object: { id, status: 'resolved' } } },
  ]);

  // The same events, sent by a real webhook.
  const { body } = await admin.post('/api/v1/webhooks', { url: receiver.url, events: ['*'] });
  const since = new Date(Date.now() - 60_000).toISOString();
  const forwarded = receiver.received.splice(0);
  await admin.post(`/api/v1/webhooks/${body.id}/recover`, { since });
  for (const { headers, text } of forwarded) {
    const isSame = (one: Received) => one.headers['webhook-id'] === headers['webhook-id'];
    const sent = await until('the same event', () => receiver.received.find(isSame));
    expect(sent.text).toBe(text);
  }
  await admin.delete(`/api/v1/webhooks/${body.id}`);
  receiver.received.length = 0;
  stop();
  await ended;
});

test('a failed delivery is found, and sent again', async () => {
  receiver.reply = (_received, response) => void response.writeHead(500).end();
  await admin.post('/api/v1/webhooks', { url: receiver.url, events: ['ticket.created'] });
  await make.ticket(await app.as('customer'));
  const line = await until('the failure to be shown', async () => {
    const { stdout } = await runCli(['webhooks', 'deliveries', '--state', 'failed', ...as], {});
    return stdout.includes('ticket.created') && stdout;
  });
  expect(line).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}failed {5}ticket\.created {9}500 after 1 attempt {2}[\w-]{36}\n$/,
  );
  receiver.reply = (_received, response) => void response.end();
  const [, id = ''] = /([\w-]{36})\n/.exec(line) ?? [];
  const again = await runCli(['webhooks', 'redeliver', id, ...as], {});
  expect(again).toMatchObject({ code: 0, stdout: 'ticket.created is sent again now.\n' });
  await until('the second request', () => receiver.received.length === 2);
});

test('a delivery that is not there is said to be none', async () => {
  const { code, body } = await runJson(['webhooks', 'redeliver', unknownId, ...as], {});
  expect({ code, body }).toMatchObject({ code: 1, body: { error: { code: 'not-found' } } });
});
