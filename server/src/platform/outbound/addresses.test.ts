import { BlockList, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPublicAddress } from './addresses.ts';

/** The IANA special-purpose registries, and what else is no global unicast. */
const special = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24'],
  ...['192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24'],
  ...['203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4', '168.63.129.16/32'],
  ...['::/128', '::1/128', '::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96'],
  ...['64:ff9b:1::/48', '100::/64', '100:0:0:1::/64', '2001::/23', '2001::/32', '2001:2::/48'],
  ...['2001:3::/32', '2001:4:112::/48', '2001:10::/28', '2001:20::/28', '2001:30::/28'],
  ...['2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20', '4000::/2', '5f00::/16'],
  ...['8000::/1', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
].map((range) => {
  const [start = '', bits = ''] = range.split('/');
  return {
    range,
    start,
    bits: Number(bits),
    family: isIPv4(start) ? ('ipv4' as const) : ('ipv6' as const),
  };
});

/** One for each family: Node would look for IPv4 in ::ffff:0:0/96 too. */
const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const { start, bits, family } of special) lists[family].addSubnet(start, bits, family);

const isSpecial = (ip: string): boolean =>
  isIPv4(ip) ? lists.ipv4.check(ip, 'ipv4') : lists.ipv6.check(ip, 'ipv6');

const width = { ipv4: 32, ipv6: 128 };

function bitsOf(ip: string): bigint {
  if (isIPv4(ip)) return ip.split('.').reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);
  const [head = '', tail = ''] = ip.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].reduce(
    (bits, part) => (bits << 16n) | BigInt(`0x${part}`),
    0n,
  );
}

function spell(bits: bigint, family: 'ipv4' | 'ipv6'): string {
  const [size, count] = family === 'ipv4' ? [8n, 4] : [16n, 8];
  const parts = Array.from(
    { length: count },
    (_, i) => (bits >> (size * BigInt(count - 1 - i))) & ((1n << size) - 1n),
  );
  return family === 'ipv4' ? parts.join('.') : parts.map((part) => part.toString(16)).join(':');
}

describe('an address is public', () => {
  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '93.184.216.34',
    '2606:4700:4700::1111',
    '2001:4860:4860::8888',
    '2a00::1',
  ])('when it is an ordinary one: %s', (ip) => expect(isPublicAddress(ip)).toBe(true));

  test('when it is any IPv4 address outside the special ranges', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ip) => void expect(isPublicAddress(ip)).toBe(!isSpecial(ip))),
      { numRuns: 5_000, seed: 1 },
    );
  });

  test('when it is any IPv6 address of 2000::/3 outside the special ranges', () => {
    const globalUnicast = fc.bigInt({ min: bitsOf('2000::'), max: bitsOf('4000::') - 1n });
    fc.assert(
      fc.property(globalUnicast, (bits) => {
        const ip = spell(bits, 'ipv6');
        expect(isPublicAddress(ip)).toBe(!isSpecial(ip));
      }),
      { numRuns: 5_000, seed: 2 },
    );
  });

  test.each(special.filter(({ range }) => !['4000::/2', '8000::/1'].includes(range)))(
    'never in $range, neither at its ends nor anywhere between',
    ({ start, bits, family }) => {
      const first = bitsOf(start);
      const last = first + (1n << BigInt(width[family] - bits)) - 1n;
      for (const end of [first, last]) expect(isPublicAddress(spell(end, family))).toBe(false);
      fc.assert(
        fc.property(
          fc.bigInt({ min: first, max: last }),
          (inside) => void expect(isPublicAddress(spell(inside, family))).toBe(false),
        ),
        { seed: 3 },
      );
    },
  );

  test('just before and behind a special range, as its neighbours say', () => {
    for (const { start, bits, family } of special) {
      const first = bitsOf(start);
      const behind = first + (1n << BigInt(width[family] - bits));
      for (const next of [first - 1n, behind]) {
        if (next < 0n || next >= 1n << BigInt(width[family])) continue;
        const ip = spell(next, family);
        const isGlobal = family === 'ipv4' || next >> 125n === 1n;
        expect({ ip, is: isPublicAddress(ip) }).toEqual({ ip, is: isGlobal && !isSpecial(ip) });
      }
    }
  });

  test('never when it is IPv6 outside 2000::/3', () => {
    const outside = fc
      .bigInt({ min: 0n, max: (1n << 128n) - 1n })
      .filter((bits) => bits >> 125n !== 1n);
    fc.assert(
      fc.property(outside, (bits) => void expect(isPublicAddress(spell(bits, 'ipv6'))).toBe(false)),
      { numRuns: 2_000, seed: 4 },
    );
  });

  test.each([
    ...['', 'localhost', 'example.com', '127.1', '1.1', '134744072', '0x8.8.8.8', '08.8.8.8'],
    ...['8.8.8.8/32', ' 8.8.8.8', '8.8.8.8.', '[2606:4700::1]', '8.8.8.8%eth0'],
    ...['fe80::1%eth0', '2606:4700::1%1', '::ffff:8.8.8.8', '::ffff:127.0.0.1', '::8.8.8.8'],
    ...['64:ff9b::8.8.8.8', '2002:808:808::1'],
  ])('never when it is no plain address: %j', (ip) => expect(isPublicAddress(ip)).toBe(false));

  test('whatever the string: an answer, never an error', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'0123456789abcdefx.:%/[]') }),
    );
    fc.assert(
      fc.property(text, (ip) => void expect(isPublicAddress(ip)).toBeTypeOf('boolean')),
      { numRuns: 2_000, seed: 5 },
    );
  });
});
