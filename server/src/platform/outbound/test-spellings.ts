const privateIPv4 = [
  ...['127.0.0.1', '127.255.255.254', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  ...['169.254.169.254', '100.64.0.1', '100.100.100.200', '0.0.0.0', '198.18.0.1', '224.0.0.1'],
  ...['255.255.255.255', '192.0.0.192'],
];

const digits = (text: string, zero: number, one = zero + 1): string =>
  text.replace(/\d/g, (digit) =>
    String.fromCodePoint(digit === '0' ? zero : one + Number(digit) - 1),
  );

const percent = (text: string): string =>
  text.replace(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`);

/** Every way that we know to write one IPv4 address in a URL. */
function spellingsOf(ip: string): string[] {
  const octets = ip.split('.').map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  const low = c * 256 + d;
  const number = (a * 256 + b) * 65_536 + low;
  const octal = (n: number) => `0${n.toString(8)}`;
  const hex = (n: number) => `0x${n.toString(16)}`;
  const group = (n: number) => n.toString(16);
  const mapped = `${group(a * 256 + b)}:${group(low)}`;
  return [
    ip,
    `${ip}.`,
    String(number),
    `${number}.`,
    octal(number),
    `00000${octal(number)}`,
    hex(number),
    hex(number).toUpperCase(),
    `0x0000000${group(number)}`,
    octets.map(octal).join('.'),
    octets.map((n) => `00${octal(n)}`).join('.'),
    octets.map(hex).join('.'),
    octets.map((n) => hex(n).toUpperCase().replace('0X', '0X00')).join('.'),
    `${hex(a)}.${b}.${octal(c)}.${d}`,
    `${a}.${b}.${low}`,
    `${a}.${b * 65_536 + low}`,
    `${hex(a)}.${octal(b * 65_536 + low)}`,
    digits(ip, 0xff10),
    digits(String(number), 0xff10),
    digits(ip, 0x1d7ce),
    digits(ip, 0x24ea, 0x2460),
    ip.replaceAll('.', '。'),
    ip.replaceAll('.', '.'),
    ip.replaceAll('.', '%2E'),
    percent(ip),
    percent(String(number)),
    `[::ffff:${ip}]`,
    `[::FFFF:${mapped}]`,
    `[0:0:0:0:0:ffff:${mapped}]`,
    `[::${ip}]`,
    `[::ffff:0:${ip}]`,
    `[64:ff9b::${ip}]`,
    `[64:ff9b:1::${mapped}]`,
    `[2002:${mapped}::1]`,
    `[2001:0:4136:e378:8000:63bf:${mapped}]`,
  ];
}

const specialIPv6 = [
  ...['[::]', '[::1]', '[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]'],
  ...[
    '[::0.0.0.1]',
    '[fe80::1]',
    '[FE80::1]',
    '[febf::1]',
    '[fec0::1]',
    '[fc00::1]',
    '[fd00:ec2::254]',
  ],
  ...['[fd20:ce::254]', '[ff02::1]', '[FF0E::1]', '[100::1]', '[2001:db8::1]', '[2001:2::1]'],
  ...['[2001:10::1]', '[2001:20::1]', '[3fff::1]', '[5f00::1]', '[4000::1]', '[2620:4f:8000::1]'],
];

/** Hosts that are addresses of this machine, its network or no machine at all. */
export const spellings = [
  ...new Set([
    ...privateIPv4.flatMap(spellingsOf),
    ...specialIPv6,
    ...['127.1', '127.0.1', '0', '0x0', '00', '0.0', '0x7f.1', '017700000001', '①②⑦.0.0.1'],
    ...['168.63.129.16', '192.0.2.1', '198.51.100.1', '203.0.113.1', '192.88.99.1', '240.0.0.1'],
  ]),
];

/** Names that mean this machine or its network, whatever DNS says. */
export const disguisedNames = [
  ...['localhost', 'LOCALHOST', 'localhost.', 'LocalHost.', 'a.localhost', 'a.b.localhost.'],
  ...['ⓛocalhost', 'localhost', '%6c%6f%63alhost', 'printer.local', 'printer.LOCAL.'],
  ...['metadata.google.internal', 'metadata.google.internal.', 'home.arpa', 'nas.home.arpa'],
  ...['receiver', 'intranet', 'kubernetes', 'metadata', 'example.com.', 'example.com..'],
];

/** URLs whose host is not the one that a hasty reader, or another parser, sees. */
export const misleadingUrls = (port: string): string[] => [
  `http://127.0.0.1\t:${port}/`,
  `http://127.0\n.0.1:${port}/`,
  `http://127.0.0\r\n.1:${port}/`,
  `ht\ttp://127.0.0.1:${port}/`,
  ` http://127.0.0.1:${port}/`,
  `http://127.0.0.1:${port}/ `,
  `\u0000http://127.0.0.1:${port}/`,
  `http:\\\\127.0.0.1:${port}\\`,
  `http:/\\127.0.0.1:${port}/`,
  `http://127.0.0.1:${port}\\@example.com/`,
  `http://example.com\\@127.0.0.1:${port}/`,
  `http://example.com@127.0.0.1:${port}/`,
  `http://example.com:80@127.0.0.1:${port}/`,
  `http://example.com%40:x@127.0.0.1:${port}/`,
  `http://a@b@127.0.0.1:${port}/`,
  `http://127.0.0.1:${port}@example.com/`,
  `http://127.0.0.\u00AD1:${port}/`,
  `http://127.0.0.\u200B1:${port}/`,
  `http://loc\u2060alhost:${port}/`,
  `http://\u202E127.0.0.1:${port}/`,
  `http://127.0.0.1%00.example.com:${port}/`,
  `http://127.0.0.1%20:${port}/`,
  `http://[::1%25lo]:${port}/`,
  `http://[::1%lo]:${port}/`,
  `http://[fe80::1%25eth0]:${port}/`,
  `http://[::ffff:127.0.0.1]x:${port}/`,
  `http://127.0.0.1:${port}:80/`,
];
