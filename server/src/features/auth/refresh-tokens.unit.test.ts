import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  hashOf,
  newRefreshToken,
  newRotationKey,
  sessionIdOf,
  standingOf,
  successorOf,
} from './refresh-tokens.ts';

const sessionId = randomUUID();
const rotationKey = newRotationKey();
const rotatedAt = new Date('2026-03-02T09:00:00Z');
const after = (ms: number): Date => new Date(rotatedAt.getTime() + ms);
const chainAt = (token: string) => ({ tokenHash: hashOf(token), rotationKey, rotatedAt });

const first = newRefreshToken(sessionId, rotationKey);
const second = successorOf(first, rotationKey);
const third = successorOf(second, rotationKey);

test('a token names its session and hides nothing else in its length', () => {
  expect(sessionIdOf(first)).toBe(sessionId);
  expect(sessionIdOf(second)).toBe(sessionId);
  expect(first.length).toBe(second.length);
});

test('a token has one successor, and it differs from the token', () => {
  expect(successorOf(first, rotationKey)).toBe(second);
  expect(new Set([first, second, third]).size).toBe(3);
});

test('a successor cannot be made without the key of the session', () => {
  expect(successorOf(first, newRotationKey())).not.toBe(second);
});

test('the valid token is current at any time', () => {
  expect(standingOf(second, chainAt(second), after(0))).toBe('current');
  expect(standingOf(second, chainAt(second), after(10 ** 9))).toBe('current');
});

test('the token just spent counts as repeated for ten seconds, then as reused', () => {
  expect(standingOf(first, chainAt(second), after(10_000))).toBe('repeated');
  expect(standingOf(first, chainAt(second), after(10_001))).toBe('reused');
});

test('an earlier ancestor counts as reused at once', () => {
  expect(standingOf(first, chainAt(third), after(1))).toBe('reused');
});

test('an ancestor is recognised behind any number of rotations', () => {
  let newest = first;
  for (let rotation = 0; rotation < 20_000; rotation += 1) {
    newest = successorOf(newest, rotationKey);
  }
  expect(standingOf(first, chainAt(newest), after(1))).toBe('reused');
});

test('a made-up token is unknown, also one that differs from a real one in its last character', () => {
  const last = first.at(-1) === 'A' ? 'B' : 'A';
  const forgeries = [
    newRefreshToken(sessionId, newRotationKey()),
    newRefreshToken(randomUUID(), rotationKey).replace(/^[^.]+/, sessionId),
    `${sessionId}.${'A'.repeat(43)}`,
    first.slice(0, -1) + last,
  ];
  for (const token of forgeries) {
    expect(standingOf(token, chainAt(second), after(1))).toBe('unknown');
  }
});

test.each([
  '',
  '.',
  'x',
  `${sessionId}`,
  `${sessionId}.`,
  `${sessionId}.short`,
  `${first}x`,
  `x${first}`,
])('text that is no token names no session: %j', (text) => {
  expect(sessionIdOf(text)).toBeUndefined();
  expect(standingOf(text, chainAt(second), after(1))).toBe('unknown');
});
