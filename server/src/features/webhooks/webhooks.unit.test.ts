import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import type { OutboundResult } from '../../platform/outbound/outbound.ts';
import { createSealer } from '../../platform/sealing.ts';
import { payloadOf, type PayloadEvent } from './payload.ts';
import { judge } from './schedule.ts';
import { newSecret, signedHeaders } from './signature.ts';
import { isSubscribed, subscriptions } from './subscriptions.ts';

const now = new Date('2026-11-02T10:00:00.000Z');
const scheduleMs = [0, 5_000, 300_000];
const reply = (status: number, headers: Record<string, string> = {}): OutboundResult => ({
  kind: 'response',
  status,
  headers,
  body: '',
  truncated: false,
  durationMs: 1,
});
const after = (result: OutboundResult, tries = 1, random = 0.5) =>
  judge(result, { tries, scheduleMs, random, now });

describe('what follows an attempt', () => {
  test('any 2xx is taken, and nothing else is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), (status) => {
        expect(after(reply(status)).outcome).toBe(status < 300 ? 'succeeded' : 'failed');
      }),
    );
  });

  test('the next wait is that of the schedule, a fifth more or less', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (random) => {
        const verdict = after(reply(500), 1, random);
        const wait = 'retryAfterMs' in verdict ? (verdict.retryAfterMs ?? 0) : 0;
        expect(wait).toBeGreaterThanOrEqual(4_000);
        expect(wait).toBeLessThanOrEqual(6_000);
      }),
    );
  });

  test.each([
    [reply(429, { 'retry-after': '60' }), 60_000],
    [reply(503, { 'retry-after': 'Mon, 02 Nov 2026 10:02:00 GMT' }), 120_000],
    [reply(503, { 'retry-after': '999999' }), 86_400_000],
    [reply(429, { 'retry-after': '1' }), 5_000],
    [reply(503, { 'retry-after': 'soon' }), 5_000],
    [reply(500, { 'retry-after': '60' }), 5_000],
  ])('Retry-After is heeded of those whose it is to ask, up to a day (%#)', (result, wait) => {
    expect(after(result)).toEqual({ outcome: 'failed', retryAfterMs: wait, isGone: false });
  });

  test('410 and the end of the schedule are final', () => {
    expect(after(reply(410))).toEqual({ outcome: 'failed', retryAfterMs: null, isGone: true });
    expect(after(reply(500), 3)).toEqual({ outcome: 'failed', retryAfterMs: null, isGone: false });
  });
});

test.each([
  [['*'], 'ticket.created', true],
  [['ticket.*'], 'ticket.assigned', true],
  [['ticket.*'], 'message.created', false],
  [['ticket.created'], 'ticket.updated', false],
  [['*'], 'user.signed_in', false],
  [['*'], 'settings.updated', false],
])('%j and %s: %s', (to, type, expected) => {
  expect(isSubscribed(to, type)).toBe(expected);
});

test('everything that can be subscribed to is a type, a family or all', () => {
  expect(subscriptions).toContain('answer.*');
  expect(new Set(subscriptions).size).toBe(subscriptions.length);
});

const event: PayloadEvent = {
  id: '0199f3a0-6f21-7d10-8b3a-3c5e7f9a1b77',
  type: 'message.created',
  created_at: now,
  sequence: 3,
  data: { id: '1', ticket_id: '2' },
  previous: null,
  actor_type: 'customer',
  actor_id: '3',
  content: '',
};

test('a body is valid JSON below 20 kB, whatever the message says, and always the same', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 200 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 4_000 }), (piece, times) => {
      const content = [...piece.repeat(times)].slice(0, 20_000).join('');
      const body = payloadOf({ ...event, content });
      expect(Buffer.byteLength(body)).toBeLessThan(20_000);
      expect(payloadOf({ ...event, content })).toBe(body);
      const { object } = JSON.parse(body).data;
      expect(content.startsWith(object.content)).toBe(true);
      expect(object.content_truncated).toBe(object.content !== content);
    }),
    // 12,000 bytes as JSON: with the quotes they would be too many.
    { numRuns: 60, examples: [['\u00a0'.repeat(3), 4_000]] },
  );
});

test('signatures are those of the library of the standard, one by each secret', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (body) => {
      const secrets = [newSecret(), newSecret()];
      const headers = signedHeaders(secrets, { id: event.id, timestamp: new Date(), body });
      const theirs = secrets.map((secret) => new Webhook(secret).sign(event.id, new Date(), body));
      expect(headers['webhook-signature']).toBe(theirs.join(' '));
    }),
    { numRuns: 50 },
  );
});

describe('a sealer', () => {
  const [old, current] = ['a key of long ago, long enough', 'the key of today, long enough too'];
  const purpose = 'secrets';

  test('opens what it has sealed, also with a key that is no longer the first', () => {
    const sealed = createSealer({ keys: [old], purpose }).seal('whsec_ü');
    expect(sealed).not.toContain('whsec');
    expect(createSealer({ keys: [current, old], purpose }).open(sealed)).toBe('whsec_ü');
  });

  test('opens nothing that is another key’s, of another purpose, or changed', () => {
    const sealed = createSealer({ keys: [old], purpose }).seal('secret');
    expect(createSealer({ keys: [current], purpose }).open(sealed)).toBeUndefined();
    expect(createSealer({ keys: [old], purpose: 'other' }).open(sealed)).toBeUndefined();
    const changed = Buffer.from(sealed, 'base64url');
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    const sealer = createSealer({ keys: [old], purpose });
    expect(sealer.open(changed.toString('base64url'))).toBeUndefined();
    expect(sealer.open('')).toBeUndefined();
  });
});
