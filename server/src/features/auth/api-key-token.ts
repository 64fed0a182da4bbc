import { createHash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/*
 * `sa_`, 32 random characters, and a checksum of six: who scans code for secrets knows a real one
 * from a look-alike without asking us, and we refuse a look-alike without asking the database.
 */

const mark = 'sa_';
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomLength = 32;
const checksumLength = 6;
const prefixLength = 8;
const form = new RegExp(`^${mark}([0-9A-Za-z]{${randomLength}})([0-9A-Za-z]{${checksumLength}})$`);

export function newApiKeyToken(): string {
  const random = Array.from({ length: randomLength }, () => digit(randomInt(alphabet.length)));
  return mark + random.join('') + checksumOf(random.join(''));
}

/** Whether it means to be an API key, as access tokens never do. */
export const isApiKeyToken = (token: string): boolean => token.startsWith(mark);

export function isWellFormed(token: string): boolean {
  const [, random = '', checksum] = form.exec(token) ?? [];
  return checksum === checksumOf(random);
}

/** All that is stored of it: so much randomness needs no slow hash. */
export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** What tells keys apart for people: too little to be guessed from. */
export const prefixOf = (token: string): string => token.slice(0, prefixLength);

/** CRC-32 in base 62. */
function checksumOf(text: string): string {
  let rest = crc32(text);
  let checksum = '';
  for (let place = 0; place < checksumLength; place += 1) {
    checksum = digit(rest % alphabet.length) + checksum;
    rest = Math.floor(rest / alphabet.length);
  }
  return checksum;
}

const digit = (value: number): string => alphabet.charAt(value);
