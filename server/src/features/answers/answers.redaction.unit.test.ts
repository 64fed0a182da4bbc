import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedactor, normalise } from './answers.redaction.ts';

const redacted = (text: string): string => createRedactor().redact(text);

describe('normalising', () => {
  test.each([
    ['ｈｕｍａｎ', 'human'],
    ['hu\u200bman\u00ad', 'human'],
    ['\u202ehuman\u2069', 'human'],
    ['human\u{e0041}\u{e007f}', 'human'],
    ['a\u0000b\u001bc', 'abc'],
    ['two\r\nlines\tand', 'two\r\nlines\tand'],
    ['＜EMAIL_1＞', '<EMAIL_1>'],
  ])('%j is %j', (text, normal) => expect(normalise(text)).toBe(normal));

  test('never lets a lone surrogate, a NUL or an unseen sign out, and says the same twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const normal = normalise(`${text}\ud800\u0000\u200d`);
        expect(normal.isWellFormed()).toBe(true);
        expect(normal).not.toContain('\u0000');
        expect(normal).not.toMatch(/[\u200b-\u200f\u{e0000}-\u{e007f}]/u);
        expect(normalise(normal)).toBe(normal);
      }),
    );
  });
});

describe('what is personal', () => {
  test.each([
    ['Write to jo.doe+x@mail.example.org.', 'Write to <EMAIL_1>.'],
    ["It is o'neill@shop.example, thanks", 'It is <EMAIL_1>, thanks'],
    ['jürgen@müller.example', '<EMAIL_1>'],
    ['card 4111 1111 1111 1111 declined', 'card <CARD_1> declined'],
    ['3782-822463-10005', '<CARD_1>'],
    ['4111 1111 1111 1111 12/27', '<CARD_1> 12/27'],
    ['4111 1111 1111 1111 123', '<CARD_1> 123'],
    ['4111111111111111 1227 123', '<CARD_1> 1227 123'],
    ['4111 1111 1111 1111 5500 0000 0000 0004', '<CARD_1> <CARD_2>'],
    ['4111111111111111 378282246310005 4111111111111111', '<CARD_1> <CARD_2> <CARD_1>'],
    ['4111.1111.1111.1111', '<CARD_1>'],
    [normalise('4111\u20111111\u20111111\u20111111'), '<CARD_1>'],
    ['order 12345 4111 1111 1111 1111', 'order 12345 <CARD_1>'],
    ['DE89 3704 0044 0532 0130 00 is my account', '<IBAN_1> is my account'],
    ['BE68 5390 0754 7034 NL91 ABNA 0417 1643 00', '<IBAN_1> <IBAN_2>'],
    ['NL91 ABNA 0417 1643 00 NL91 ABNA 0417 1643 00', '<IBAN_1> <IBAN_1>'],
    ['iban gb82west12345698765432.', 'iban <IBAN_1>.'],
    ['ssn 123-45-6789', 'ssn <SSN_1>'],
    ['Social security number: 123456789', 'Social security number: <SSN_1>'],
    ['from 203.0.113.7:8080', 'from <IP_1>:8080'],
    ['from 2001:db8::8a2e:370:7334.', 'from <IP_1>.'],
    ['+49 (0)170 123 45 67', '<PHONE_1>'],
    ['(555) 123-4567 or 555.123.4568', '<PHONE_1> or <PHONE_2>'],
    ['on 020 7946 0958 after six', 'on <PHONE_1> after six'],
    ['my number is 5551234567', 'my number is <PHONE_1>'],
    ['Please call me at 5551234567', 'Please call me at <PHONE_1>'],
    ['It is 07700900123.', 'It is <PHONE_1>.'],
    ['1-800-555-1234, 1 (800) 555-1235', '<PHONE_1>, <PHONE_2>'],
    ['555 1234 (mobile)', '<PHONE_1> (mobile)'],
    ['sk-proj-abcdefghijkl0123456789', '<SECRET_1>'],
    ['gsk_0123456789abcdefghijABCDEFGHIJ', '<SECRET_1>'],
    ['key AKIAIOSFODNN7EXAMPLE.', 'key <SECRET_1>.'],
    ['ghp_0123456789abcdefghijABCDEFGHIJ012345', '<SECRET_1>'],
    ['Authorization: Bearer abcdef0123456789abcdef', 'Authorization: Bearer <SECRET_1>'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', '<SECRET_1>'],
    ['password: hunter2!', 'password: <SECRET_1>'],
    ['my password is Summer2024!', 'my password is <SECRET_1>'],
    ['My password is swordfish.', 'My password is <SECRET_1>.'],
    ['It was password Summer2024! before', 'It was password <SECRET_1> before'],
    ['change my password to Summer2024!', 'change my password to <SECRET_1>'],
    ['pw: hunter22', 'pw: <SECRET_1>'],
    ['Passwort: Geheim123', 'Passwort: <SECRET_1>'],
    ['Mein Passwort ist "Geheim123".', 'Mein Passwort ist "<SECRET_1>".'],
    ['password: correcthorsebattery', 'password: <SECRET_1>'],
    ['**Password:** correcthorsebattery', '**Password:** <SECRET_1>'],
    ['The password for my account was P@ssword', 'The password for my account was <SECRET_1>'],
    [
      'PIN: 4821, pin code is 4822, pin 4823',
      'PIN: <SECRET_1>, pin code is <SECRET_2>, pin <SECRET_3>',
    ],
    ['9f86d081884c7d659a2feaa0c55ad015', '<SECRET_1>'],
    ['-----BEGIN PRIVATE KEY-----\nMIIB+1/2\n-----END PRIVATE KEY-----', '<SECRET_1>'],
  ])('%j becomes %j', (text, expected) => expect(redacted(text)).toBe(expected));

  test.each([
    'Order 113542617735902 came on 2026-03-14 at 12:30:45, not on 14/03/2026.',
    'Ticket #20261234, invoice INV-2026-000123, SKU 4006381333931',
    'It cost 1,234,567.89 or $ 1 299.00, size 42-44, 100 200 300 points',
    'UPS 1Z999AA10123456784, my order number is 5551234567',
    'Version 2.10.3.1 of the app, v1.2.3.4',
    '4111 1111 1111 1112 and DE89 3704 0044 0532 0130 01',
    'Order 0012345678, parcel 00340434161094',
    'My mobile order 12345678 has 3610-114 as its code',
    '123e4567-e89b-12d3-a456-426614174000',
    'I forgot my password: how do I reset it?',
    'I forgot my password please help',
    'My password is not working and the old password was wrong!!!',
    'my password was reset, now it is invalid: the PIN is blocked',
    "Password: doesn't work. My pin isn't accepted, is my password case-sensitive?",
    'I entered my password 3 times, then my PIN 15mins ago, and a password 8-digit code came',
    'Is there help for my password 24/7? I changed my password 2024-01-31.',
    'Mein Passwort ist falsch, das alte Passwort war abgelaufen',
    'Order 07700900123, my order number is 07700900123',
    'Is this @home or user@localhost? std::vector, a::b',
  ])('%j stays', (text) => expect(redacted(text)).toBe(text));

  test('the same value has the same placeholder in every text of an answer', () => {
    const redactor = createRedactor();
    expect(redactor.redact('a@example.com and b@example.com')).toBe('<EMAIL_1> and <EMAIL_2>');
    expect(redactor.redact('b@example.com')).toBe('<EMAIL_2>');
    expect(redactor.counts()).toEqual({ email: 2 });
  });
});

/** Texts where values, placeholders of every origin and broken ones meet. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'a@example.com',
        'b@example.com',
        '4111 1111 1111 1111',
        'password: ',
        '+49 170 1234567',
        '<EMAIL_1>',
        '<EMAIL_2>',
        '<QUOTED_1>',
        '<EMAIL_',
        '<',
        '1>',
        '>',
        ' ',
        '\n',
        '\ue000',
        'word1',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));

/** Cuts a text in pieces, at any code unit. */
const cut = (whole: string, places: readonly number[]): string[] => {
  const ends = places.map((place) => place % (whole.length + 1)).sort((one, other) => one - other);
  return [...ends, whole.length].map((end, at) => whole.slice(ends[at - 1] ?? 0, end));
};

describe('restoring', () => {
  test('gives back what was redacted, however the stream is cut', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(200), { maxLength: 12 }), (original, places) => {
        const redactor = createRedactor();
        const pieces = cut(redactor.redact(original), places);
        const restorer = redactor.createRestorer();
        const shown = pieces.map((piece) => restorer.push(piece)).join('') + restorer.end();
        expect(shown).toBe(original);
      }),
      { numRuns: 2_000 },
    );
  });

  test('whatever a model writes, the same is shown for every cut', () => {
    fc.assert(
      fc.property(text, text, fc.array(fc.nat(200), { maxLength: 12 }), (known, reply, places) => {
        const redactor = createRedactor();
        redactor.redact(known);
        const through = (pieces: string[]): string => {
          const restorer = redactor.createRestorer();
          return pieces.map((piece) => restorer.push(piece)).join('') + restorer.end();
        };
        expect(through(cut(reply, places))).toBe(through([reply]));
      }),
      { numRuns: 2_000 },
    );
  });

  test('holds back only what can still become a placeholder that exists', () => {
    const redactor = createRedactor();
    redactor.redact('a@example.com');
    const restorer = redactor.createRestorer();
    expect(restorer.push('to <')).toBe('to ');
    expect(restorer.push('EMAIL_1')).toBe('');
    expect(restorer.push('>')).toBe('a@example.com');
    expect(restorer.push('<EMAIL_2')).toBe('<EMAIL_2');
    expect(restorer.push(' <CARD')).toBe(' <CARD');
    expect(restorer.push(' <EMAIL_1 <EM')).toBe(' <EMAIL_1 ');
    expect(restorer.end()).toBe('<EM');
  });

  test('who writes a placeholder does not get the value of another', () => {
    const redactor = createRedactor();
    const sent = redactor.redact('Say <EMAIL_1>. Mine is a@example.com.');
    expect(sent).toBe('Say <QUOTED_1>. Mine is <EMAIL_1>.');
    const restorer = redactor.createRestorer();
    expect(restorer.push('<QUOTED_1>, <EMAIL_1>, <CARD_1>')).toBe(
      '<EMAIL_1>, a@example.com, <CARD_1>',
    );
    expect(redactor.counts()).toEqual({ email: 1 });
  });
});

describe('100 kB made to be slow', () => {
  const hostile = [
    'a',
    'a.',
    'a@',
    '@a.',
    'a@a-a.a1.',
    '1',
    '1 ',
    '11-',
    '0 1',
    '+1 (',
    '(11) 1',
    '1.1.',
    ':a',
    'eyJ',
    'eyJaaaaaa.',
    'sk-',
    'password: ',
    'bearer ',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1-',
    '-----BEGIN PRIVATE KEY-----',
    'GB82 WEST ',
    'BE68 5390 0754 7034 ',
    '4111 1111 1111 1111 ',
    'password is ',
    'password for a b c d is: ',
    'pin ',
    '1-800-',
    '07700900123 ',
    '4 ',
    '4.',
    '<EMAIL_1',
    'call me ',
    `${'a'.repeat(250)}@${'a.'.repeat(8)}1 `,
  ];
  test.each(hostile)('%j again and again', (piece) => {
    const long = piece.repeat(Math.ceil(100_000 / piece.length));
    const start = performance.now();
    redacted(normalise(long));
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
