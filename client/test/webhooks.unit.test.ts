import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { verifyWebhook, WebhookVerificationError } from '../src/client.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const other = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';
const body = JSON.stringify({ type: 'ticket.created', data: { object: { id: 'ü' } } });

/** The headers as the library of the standard signs them. */
const signed = (by: string, at = new Date(), text = body): Record<string, string> => ({
  'webhook-id': 'msg_1',
  'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
  'webhook-signature': new Webhook(by).sign('msg_1', at, text),
});

test('what the secret has signed is returned as an event, from either kind of headers', async () => {
  expect(await verifyWebhook(secret, signed(secret), body)).toEqual(JSON.parse(body));
  expect(await verifyWebhook(secret, new Headers(signed(secret)), body)).toEqual(JSON.parse(body));
});

test('one of several signatures is enough, as during a rotation', async () => {
  const headers = signed(secret);
  headers['webhook-signature'] =
    `v1a,abc v1,%% ${signed(other)['webhook-signature']} ${headers['webhook-signature']}`;
  await verifyWebhook(secret, headers, body);
});

test.each([
  ['another secret', other, signed(secret), body],
  ['another body', secret, signed(secret), `${body} `],
  ['another id', secret, { ...signed(secret), 'webhook-id': 'msg_2' }, body],
  ['an old request', secret, signed(secret, new Date(Date.now() - 301_000)), body],
  ['a request of the future', secret, signed(secret, new Date(Date.now() + 302_000)), body],
  ['a timestamp that is none', secret, { ...signed(secret), 'webhook-timestamp': 'now' }, body],
  ['no headers', secret, {}, body],
  ['a secret that is none', 'whsec_', signed(secret), body],
])('%s is refused', async (_what, by, headers, text) => {
  await expect(verifyWebhook(by, headers, text)).rejects.toThrow(WebhookVerificationError);
});

test('the tolerance can be chosen', async () => {
  const headers = signed(secret, new Date(Date.now() - 500_000));
  await verifyWebhook(secret, headers, body, { toleranceSeconds: 600 });
});
