import { argon2Sync } from 'node:crypto';
import { expect, test } from 'vitest';
import { AppError } from '../../errors.ts';
import { createPasswords } from './passwords.ts';

const passwords = createPasswords();

/** A hash as a cheaper configuration would have stored it. */
function cheapHash(password: string): string {
  const salt = Buffer.alloc(16, 7);
  const cost = { memory: 8_192, passes: 1, parallelism: 1, tagLength: 32 };
  const hash = argon2Sync('argon2id', { message: password, nonce: salt, ...cost });
  const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=8192,t=1,p=1$${base64(salt)}$${base64(hash)}`;
}

test('a hash is a PHC string of Argon2id with 19 MiB, two passes and one lane', async () => {
  expect(await passwords.hash('four random words')).toMatch(
    /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/,
  );
});

test('the same password has another hash each time', async () => {
  expect(await passwords.hash('same')).not.toBe(await passwords.hash('same'));
});

test('a hash accepts its own password and no other', async () => {
  const stored = await passwords.hash('pässwörd 🔑');
  expect(await passwords.verify('pässwörd 🔑', stored)).toBe(true);
  expect(await passwords.verify('pässwörd 🔒', stored)).toBe(false);
  expect(await passwords.verify('', stored)).toBe(false);
});

test('without a stored hash every password is wrong', async () => {
  expect(await passwords.verify('anything', undefined)).toBe(false);
  expect(await passwords.verify('anything', null)).toBe(false);
});

test('a hash of another cost is verified by its own cost and asks to be replaced', async () => {
  const stored = cheapHash('old password');
  expect(await passwords.verify('old password', stored)).toBe(true);
  expect(passwords.needsRehash(stored)).toBe(true);
  expect(passwords.needsRehash(await passwords.hash('old password'))).toBe(false);
});

test('a stored value that is no PHC string is a surprise, not a wrong password', async () => {
  await expect(passwords.verify('anything', 'plain text')).rejects.toThrow('PHC');
});

test('what comes behind the queue is refused with the time to come back, and the rest is served', async () => {
  const narrow = createPasswords({ runningMax: 1, waitingMax: 2 });
  const results = await Promise.allSettled(
    ['a', 'b', 'c', 'd', 'e'].map((password) => narrow.hash(password)),
  );
  expect(results.map((result) => result.status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
    'rejected',
  ]);
  const [, , , refused] = results;
  const error: unknown = refused?.status === 'rejected' ? refused.reason : undefined;
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({
    code: 'unavailable',
    details: { headers: { 'retry-after': expect.any(String) } },
  });
  await expect(narrow.hash('f')).resolves.toContain('$argon2id$');
});
