import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkDestination, type DestinationPolicy } from './destination.ts';
import { disguisedNames, misleadingUrls, spellings } from './test-spellings.ts';

const strict: DestinationPolicy = { requireHttps: true, allow: new Set() };
const lax: DestinationPolicy = { requireHttps: false, allow: new Set() };

const verdict = (url: string, policy = lax) => {
  const checked = checkDestination(url, policy);
  return checked.ok ? 'ok' : checked.reason;
};

describe('a destination is taken', () => {
  test.each([
    'https://example.com',
    'https://example.com/hooks/1?key=a%20b&c=%23',
    'https://example.com:443/',
    'https://example.com:8443/',
    'https://Example.COM/',
    'https://münchen.example/',
    'https://93.184.216.34/',
    'https://[2606:4700:4700::1111]/',
    'https://internal.example.com/',
    'https://mylocal.notlocal/',
    'https://127.0.0.1.example.com/',
  ])('when it is public: %s', (url) => expect(verdict(url, strict)).toBe('ok'));

  test('over plain http only where the policy says so', () => {
    expect(verdict('http://example.com/', lax)).toBe('ok');
    expect(verdict('http://example.com/', strict)).toBe('https-required');
  });

  test('as the URL that was checked', () => {
    const checked = checkDestination('HTTPS://EXAMPLE.com:443/a/../b', strict);
    expect(checked.ok && checked.url.href).toBe('https://example.com/b');
  });

  test('when it is any public IPv4 address, in any spelling of its number', () => {
    // 1.0.0.0 to 9.255.255.255 has no special range.
    const octets = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(255), fc.nat(255), fc.nat(255));
    fc.assert(
      fc.property(octets, ([a, b, c, d]) => {
        const ip = `${a}.${b}.${c}.${d}`;
        const number = ((a * 256 + b) * 256 + c) * 256 + d;
        for (const host of [ip, String(number), `0x${number.toString(16)}`]) {
          const checked = checkDestination(`https://${host}/`, strict);
          expect(checked.ok && checked.url.hostname).toBe(ip);
        }
      }),
      { seed: 1 },
    );
  });
});

describe('a destination is refused', () => {
  test('when it is a private or special address, in more than 200 spellings', () => {
    expect(spellings.length).toBeGreaterThan(200);
    expect(new Set(spellings).size).toBe(spellings.length);
    const verdicts = spellings.map((host) => [host, verdict(`https://${host}/`)]);
    expect(verdicts).toEqual(spellings.map((host) => [host, 'address']));
  });

  test.each(disguisedNames)('when it is a name of this machine or network: %j', (host) =>
    expect(verdict(`https://${host}/`)).toBe('name'),
  );

  test.each(misleadingUrls('8080'))('when a person would read another host: %j', (url) =>
    expect(['invalid', 'credentials']).toContain(verdict(url)),
  );

  test.each([
    ['', 'invalid'],
    ['example.com', 'invalid'],
    ['//example.com/', 'invalid'],
    ['/hook', 'invalid'],
    ['https://', 'invalid'],
    ['https://exa mple.com/', 'invalid'],
    ['https://example.com/\u0000', 'invalid'],
    ['https://example.com/\ud800', 'invalid'],
    ['https://[fe80::1%25eth0]/', 'invalid'],
    ['https://[fe80::1%eth0]/', 'invalid'],
    ['https://[::1/', 'invalid'],
    ['https://999.1.1.1/', 'invalid'],
    ['https://example.com:99999/', 'invalid'],
    ['ftp://example.com/', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['gopher://example.com/', 'scheme'],
    ['ws://example.com/', 'scheme'],
    ['javascript:alert(1)', 'scheme'],
    ['data:text/plain,a', 'scheme'],
    ['blob:https://example.com/1', 'scheme'],
    ['https://user@example.com/', 'credentials'],
    ['https://user:word@example.com/', 'credentials'],
    ['https://:word@example.com/', 'credentials'],
    ['https://example.com/#', 'fragment'],
    ['https://example.com/#a', 'fragment'],
  ])('when it is %j: %s', (url, reason) => expect(verdict(url)).toBe(reason));

  test.each([0, 1, 22, 25, 81, 444, 1023, 2375, 3306, 5432, 6379, 6443, 9200, 11211, 27017])(
    'on port %i',
    (port) => expect(verdict(`https://example.com:${port}/`)).toBe('port'),
  );

  test('when it is longer than 2,000 characters, as written or as sent', () => {
    const start = 'https://example.com/';
    expect(verdict(start + 'a'.repeat(2_000 - start.length))).toBe('ok');
    expect(verdict(start + 'a'.repeat(2_001 - start.length))).toBe('too-long');
    expect(verdict(start + 'ü'.repeat(400))).toBe('too-long');
    expect(verdict(`${' '.repeat(5_000)}${start}`)).toBe('too-long');
  });

  test('or taken, whatever the string: never an error', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.webUrl(),
      fc.webUrl().map((url) => url.replace('://', '://1')),
    );
    fc.assert(
      fc.property(text, (url) => void expect(checkDestination(url, lax).ok).toBeTypeOf('boolean')),
      { numRuns: 2_000, seed: 2 },
    );
  });
});

describe('an exception', () => {
  const policy: DestinationPolicy = {
    requireHttps: true,
    allow: new Set(['127.0.0.1:9000', 'receiver:80', 'cache.internal:6379', '[::1]:9000']),
  };

  test.each([
    'http://127.0.0.1:9000/',
    'https://127.0.0.1:9000/',
    'http://2130706433:9000/',
    'http://receiver/',
    'http://receiver:80/',
    'http://cache.internal:6379/',
    'http://[0:0:0:0:0:0:0:1]:9000/',
  ])('is taken: %s', (url) => expect(verdict(url, policy)).toBe('ok'));

  test.each([
    ['https://127.0.0.1:9001/', 'address'],
    ['https://127.0.0.2:9000/', 'address'],
    ['http://receiver:8080/', 'https-required'],
    ['https://receiver/', 'name'],
    ['https://receiver.:80/', 'name'],
    ['https://a.cache.internal:6379/', 'port'],
    ['http://user@127.0.0.1:9000/', 'credentials'],
    ['http://127.0.0.1:9000/#a', 'fragment'],
  ])('reaches no further: %s', (url, reason) => expect(verdict(url, policy)).toBe(reason));
});
