import type { Dice } from './dice.ts';

/** Texts that have broken something somewhere. Lone surrogates become escapes in JSON. */
export const texts: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'a\udc00',
  '\u202egnirts',
  '\u2066\u200f\u200b\ufeff',
  'line\r\nSet-Cookie: a=b',
  '😀👨‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  '𝒳'.repeat(200),
  'e\u0301\u0323'.repeat(50),
  'ﷺ'.repeat(300),
  'x'.repeat(10_000),
  '__proto__',
  'constructor',
  'toString',
  "' or 1=1; --",
  '%_\\',
  '"quoted" & <script>alert(1)</script>',
  '${jndi:ldap://x} {{7*7}} %s %n',
  '../../../etc/passwd',
  'NaN',
  'null',
  '-0',
  '1e309',
  '9'.repeat(40),
  'infinity',
  '0001-01-01T00:00:00Z',
  '275760-09-13T00:00:00Z',
  '2026-12-31T23:59:60Z',
  '2026-02-30T00:00:00Z',
  'Ａｄｍｉｎ@ｅｘａｍｐｌｅ.com',
  'urn:uuid:0199f3a0-0000-7000-8000-000000000000',
];

const numbers = [
  ...[0, -0, -1, 0.5, 1e-320, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 63), 1e21, 1e308],
];

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 ? [value] : { a: value };
  return value;
};

const wide = (count: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`key${at}`, at]));

const others: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => [],
  () => ({}),
  () => [[]],
  () => nested(31),
  () => nested(40),
  () => nested(5_000),
  () => wide(900),
  () => wide(1_100),
  () => JSON.parse('{"__proto__": {"role": "admin"}}') as unknown,
  () => ({ constructor: { prototype: { role: 'admin' } } }),
  () => ({ toString: 1, valueOf: null, then: 'x', length: -1 }),
  () => Array.from({ length: 500 }, () => ''),
];

/** Anything but what is expected. */
export function hostileValue(dice: Dice): unknown {
  if (dice.chance(0.6)) return dice.pick(texts);
  return dice.chance(0.4) ? dice.pick(numbers) : dice.pick(others)();
}

/** As they stand in a path or a query. */
export const encodedTexts: readonly string[] = [
  ...['%00', '%', '%zz', '%ED%A0%80', '%ff', '%F0%9F%98%80', '%2e%2e%2f', '..', '.', '%252e', '*'],
  ...['a'.repeat(5_000), '__proto__', 'constructor', '0', '-1', '1e9', '%20', '%0d%0aa:%20b', '{}'],
  ...['0199f3a0-0000-7000-8000-000000000000', '0199F3A0-0000-7000-8000-000000000000', '%27--'],
  ...['urn:uuid:0199f3a0-0000-7000-8000-000000000000', '%7B0199f3a0-0000-7000-8000-0000000000%7D'],
];

/** Query strings as nobody should send them. */
export const queries: readonly string[] = [
  ...['unknown=1', '=', '&&&', '%', 'limit', 'limit=', 'limit=1&limit=2', 'limit[]=1', 'limit=1e1'],
  ...['limit=0', 'limit=101', 'limit=-1', 'limit=1.5', 'limit=%31', 'cursor=', 'cursor=e30', 'q='],
  ...['__proto__=1', '__proto__[a]=1', 'constructor=1', 'q=a&q=b', 'status=open&status=open'],
  ...['cursor=%00', 'cursor=%F0%9F%98%80', 'created_at=x', 'created_at[gte]=x', 'sort=__proto__'],
  ...['created_at[gte]=2026-12-31T23:59:60Z', 'created_at[lt]=0000-01-01T00:00:00Z', 'after=x'],
  ...['created_at[gte]=9999-12-31T23:59:59%2B23:59', 'after=999999999999999', 'after=-1', 'q=%00'],
  ...[`q=${'%F0%9F%98%80'.repeat(100)}`, `q=${'a%20'.repeat(200)}`, 'q=%22%20or%20-%20(', 'q=%25'],
  `unknown=${'x'.repeat(9_000)}`,
];

const tags = ['"1"', 'W/"1"', '"999999999"', '1', '*', '""', '"', '"1", "2"', 'x'.repeat(3_000)];

/** Values of headers that the server reads, by name. */
export const headers: Readonly<Record<string, readonly string[]>> = {
  'if-match': tags,
  'if-none-match': tags,
  'idempotency-key': [
    '',
    'same',
    'sam\u00e9',
    'a b',
    'x'.repeat(201),
    'x'.repeat(200),
    '__proto__',
  ],
  'last-event-id': ['', '0', '-1', 'x', '99999999999999999999', '.end', 'a.b.c', 'x'.repeat(5_000)],
  accept: [
    'text/event-stream',
    'text/html',
    '*/*;q=0',
    'application/xml',
    ',;=',
    'x'.repeat(2_000),
  ],
  range: ['bytes=0-0', 'bytes=-1', 'bytes=9-1', 'rows=1'],
  authorization: [
    '',
    'Bearer',
    'Bearer x',
    'Bearer a.b.c',
    'Basic YTpi',
    `Bearer ${'x'.repeat(9_000)}`,
  ],
  cookie: ['support_assistant_refresh=', 'support_assistant_refresh=x.y', '=;;=', '__proto__=1'],
  'x-request-id': ['', 'a b', 'x'.repeat(100), '<script>', 'mine'],
  'x-forwarded-for': ['', 'unknown', '::1', '256.1.1.1', '1.1.1.1, '.repeat(100)],
  'x-http-method-override': ['DELETE'],
  origin: ['null', 'https://elsewhere.example'],
  'sec-fetch-site': ['cross-site', 'same-origin', 'x'],
  'content-encoding': ['gzip', 'identity', 'x'],
  expect: ['100-continue', 'x'],
  'accept-language': ['x'.repeat(2_000)],
  'user-agent': ['', '\u00fc'.repeat(500), '\x80'],
};

export const contentTypes: readonly string[] = [
  ...[
    '',
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'application/ld+json',
  ],
  ...[
    'application/json; charset=utf-16',
    'application/json;',
    'multipart/form-data',
    '/',
    'a/b/c;=;',
  ],
];

/** A body that is not, or hardly, what its JSON was. */
export function brokenBody(json: string, dice: Dice): Buffer {
  const middle = dice.below(json.length + 1);
  const [start, end] = [Buffer.from(json.slice(0, middle)), Buffer.from(json.slice(middle))];
  const make = dice.pick<() => Buffer>([
    () => start,
    () => Buffer.concat([start, Buffer.of(0xff), end]),
    () => Buffer.concat([start, Buffer.of(0xed, 0xa0, 0x80), end]),
    () => Buffer.concat([start, Buffer.of(0), end]),
    () => Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), start, end]),
    () => Buffer.from(json, 'utf16le'),
    () => Buffer.from(`${json}${json}`),
    () => Buffer.from(`[${json},${json}]`),
    () => Buffer.from(json.replace('{', '{"a":1e999,"a":-0,')),
    () => Buffer.from(json.replace('{', '{"__proto__":{"role":"admin"},')),
    () => Buffer.from('['.repeat(20_000)),
    () => Buffer.from(`${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`),
    () => Buffer.from(`[${'0,'.repeat(20_000)}0]`),
    () => Buffer.alloc(1024 * 1024 + 1, ' '),
    () => Buffer.from(JSON.stringify(json)),
    () => Buffer.from('null'),
    () => Buffer.alloc(0),
  ]);
  return make();
}
