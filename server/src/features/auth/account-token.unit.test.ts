import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { accountTokenIdOf, accountTokenOf, isAccountTokenOf } from './account-token.ts';

const key = 'a key that is used in tests only, number 1';
const nextKey = 'a key that is used in tests only, number 2';
const [id, userId] = [randomUUID(), randomUUID()];
const token = accountTokenOf(key, id, userId);

test('a token names its row, and belongs to its user', () => {
  expect(accountTokenIdOf(token)).toBe(id);
  expect(isAccountTokenOf([key], token, userId)).toBe(true);
  expect(isAccountTokenOf([key], token, randomUUID())).toBe(false);
});

test('every key of the list verifies', () => {
  expect(isAccountTokenOf([nextKey, key], token, userId)).toBe(true);
  expect(isAccountTokenOf([nextKey], token, userId)).toBe(false);
});

test('every changed character makes a token worthless', () => {
  for (let at = 0; at < token.length; at += 1) {
    const other = token[at] === 'a' ? 'b' : 'a';
    const changed = token.slice(0, at) + other + token.slice(at + 1);
    expect(isAccountTokenOf([key], changed, userId), changed).toBe(false);
  }
});

test.each([
  '',
  '.',
  id,
  `${id}.`,
  `${id}.x`,
  `${token}=`,
  ` ${token}`,
  `${token}\n`,
  'A'.repeat(9_999),
])('text that is no token is none: %.60j', (text) => {
  expect(accountTokenIdOf(text)).toBeUndefined();
  expect(isAccountTokenOf([key], text, userId)).toBe(false);
});
