import { createHmac, randomUUID } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import { expect, test } from 'vitest';
import { createTokens } from './tokens.ts';

const key = 'a key that is used in tests only, number 1';
const nextKey = 'a key that is used in tests only, number 2';
const exchangeSecret = 'a secret that a host product shares with us';
const start = new Date('2026-03-02T09:00:00Z');
const startSeconds = start.getTime() / 1_000;

const tokensAt = (seconds = 0, keys = [key]) =>
  createTokens({
    keys,
    exchangeSecret,
    clock: { now: () => new Date(start.getTime() + seconds * 1_000) },
  });

const session = { userId: randomUUID(), sessionId: randomUUID() };
const claims = {
  sub: session.userId,
  sid: session.sessionId,
  iss: 'support-assistant',
  aud: 'support-assistant',
  typ: 'access',
  iat: startSeconds,
  exp: startSeconds + 600,
};
const partOf = (token: string, index: number): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString());
const kid = String(partOf(tokensAt().signAccess(session), 0)['kid']);

/** A token with any header and claims, signed with our key as HS256 says. */
function forge(header: object, payload: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

test('an access token carries who, which session, who made it for whom, and ten minutes', () => {
  const token = tokensAt().signAccess(session);
  expect(partOf(token, 0)).toEqual({ alg: 'HS256', typ: 'JWT', kid });
  expect(partOf(token, 1)).toEqual(claims);
  expect(tokensAt().verifyAccess(token)).toEqual(session);
});

test('an access token ends after ten minutes, also for one who has verified it before', () => {
  let now = start;
  const tokens = createTokens({ keys: [key], exchangeSecret, clock: { now: () => now } });
  const token = tokens.signAccess(session);
  now = new Date(start.getTime() + 599_000);
  expect(tokens.verifyAccess(token)).toEqual(session);
  now = new Date(start.getTime() + 600_000);
  expect(tokens.verifyAccess(token)).toBeUndefined();
});

test('the first key signs and every key of the list verifies', () => {
  const old = tokensAt().signAccess(session);
  const rotated = tokensAt(0, [nextKey, key]);
  expect(rotated.verifyAccess(old)).toEqual(session);
  expect(partOf(rotated.signAccess(session), 0)['kid']).not.toBe(kid);
  expect(tokensAt(0, [nextKey]).verifyAccess(old)).toBeUndefined();
});

test('a well-signed token with our claims is accepted, so that the refusals below mean something', () => {
  expect(tokensAt().verifyAccess(forge({ alg: 'HS256', kid }, claims))).toEqual(session);
});

test.each([
  ['no algorithm', { alg: 'none', kid }, claims],
  ['another algorithm', { alg: 'HS512', kid }, claims],
  ['an unknown key id', { alg: 'HS256', kid: 'other' }, claims],
  ['no key id', { alg: 'HS256' }, claims],
  ['a critical extension', { alg: 'HS256', kid, crit: ['b64'], b64: false }, claims],
  ['another issuer', { alg: 'HS256', kid }, { ...claims, iss: 'somebody' }],
  ['another audience', { alg: 'HS256', kid }, { ...claims, aud: 'somebody' }],
  ['another type', { alg: 'HS256', kid }, { ...claims, typ: 'refresh' }],
  ['no end', { alg: 'HS256', kid }, { ...claims, exp: undefined }],
  ['an end that is no number', { alg: 'HS256', kid }, { ...claims, exp: '9999999999' }],
  ['a start in the future', { alg: 'HS256', kid }, { ...claims, nbf: startSeconds + 3_600 }],
  ['no session', { alg: 'HS256', kid }, { ...claims, sid: undefined }],
  ['a user that is no text', { alg: 'HS256', kid }, { ...claims, sub: 7 }],
])('a token with %s is refused', (_what, header, payload) => {
  expect(tokensAt().verifyAccess(forge(header, payload))).toBeUndefined();
});

test.each(['', '.', '..', 'x', 'a.b.c', 'null.null.null', '\0', 'A'.repeat(9_999)])(
  'text that is no token is refused: %.20j',
  (text) => {
    expect(tokensAt().verifyAccess(text)).toBeUndefined();
    expect(tokensAt().verifyExchange(text)).toBeUndefined();
  },
);

test('one changed character makes an access token worthless', () => {
  const token = tokensAt().signAccess(session);
  const at = token.indexOf('.') + 5;
  const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
  expect(tokensAt().verifyAccess(changed)).toBeUndefined();
});

const hostSign = createSigner({ key: exchangeSecret, algorithm: 'HS256' });
const guest = {
  iss: 'shop',
  sub: '42',
  email: 'ada@example.com',
  iat: startSeconds,
  exp: startSeconds + 60,
};

test('a fresh token of the host product tells who its user is', () => {
  expect(tokensAt().verifyExchange(hostSign({ ...guest, name: 'Ada' }))).toEqual({
    issuer: 'shop',
    subject: '42',
    email: 'ada@example.com',
    name: 'Ada',
  });
});

test.each([
  ['no end', { exp: undefined }],
  ['an end in the past', { exp: startSeconds - 1 }],
  ['an end more than ten minutes ahead', { exp: startSeconds + 3_600 }],
  ['no e-mail', { email: undefined }],
  ['no subject', { sub: undefined }],
  ['an empty subject', { sub: '' }],
  ['a subject longer than an index can hold', { sub: 'x'.repeat(10_000) }],
  ['a subject that the database cannot store', { sub: 'a\0b' }],
  ['no issuer', { iss: undefined }],
])('a token of the host product with %s is refused', (_what, change) => {
  const token = hostSign({ ...guest, ...change });
  expect(tokensAt().verifyExchange(token)).toBeUndefined();
});

test('an access token is no exchange token, and the other way round', () => {
  const tokens = tokensAt();
  expect(tokens.verifyExchange(tokens.signAccess(session))).toBeUndefined();
  expect(tokens.verifyAccess(hostSign(guest))).toBeUndefined();
});

test('without a secret no exchange token is accepted', () => {
  const clock = { now: () => start };
  const tokens = createTokens({ keys: [key], exchangeSecret: undefined, clock });
  expect(tokens.exchangeEnabled).toBe(false);
  expect(tokens.verifyExchange(hostSign(guest))).toBeUndefined();
});
