import { expect, test } from 'vitest';
import { hashOf, isApiKeyToken, isWellFormed, newApiKeyToken, prefixOf } from './api-key-token.ts';

test('a token is recognised by its mark, its length and its checksum', () => {
  const tokens = Array.from({ length: 200 }, newApiKeyToken);
  expect(new Set(tokens).size).toBe(tokens.length);
  for (const token of tokens) {
    expect(token).toMatch(/^sa_[0-9A-Za-z]{38}$/);
    expect(isApiKeyToken(token) && isWellFormed(token)).toBe(true);
  }
});

test('the checksum is CRC-32 in base 62, as docs/how-to/use-api-keys.md tells scanners', () => {
  const random = 'a'.repeat(32);
  expect(isWellFormed(`sa_${random}3i8aJj`)).toBe(true);
});

test('a token with any one character changed, added or missing is none', () => {
  const token = newApiKeyToken();
  for (let place = 3; place < token.length; place += 1) {
    const other = token[place] === 'x' ? 'y' : 'x';
    expect(isWellFormed(token.slice(0, place) + other + token.slice(place + 1))).toBe(false);
  }
  for (const other of ['', 'sa_', `${token}0`, token.slice(0, -1), token.slice(3), ` ${token}`]) {
    expect(isWellFormed(other)).toBe(false);
  }
});

test('an access token is never taken for a key', () => {
  expect(isApiKeyToken('eyJhbGciOiJIUzI1NiJ9.e30.sa_')).toBe(false);
});

test('what is kept leads to no token', () => {
  const token = newApiKeyToken();
  expect(hashOf(token)).toHaveLength(32);
  expect(prefixOf(token)).toBe(token.slice(0, 8));
});
