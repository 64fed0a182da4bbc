import { isIPv4, isIPv6 } from 'node:net';
import type { Detector } from './answers.redaction.kinds.ts';
import { phoneDetectors } from './answers.redaction.phones.ts';
import { secretDetectors } from './answers.redaction.secrets.ts';

const when =
  (isValue: (match: string) => boolean) =>
  (match: string): string | undefined =>
    isValue(match) ? match : undefined;

const email: Detector = {
  kind: 'email',
  pattern:
    /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-][\p{L}\p{N}._%+'-]{0,255}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|\p{L}{2,24})/gu,
};

const iban: Detector = {
  kind: 'iban',
  pattern:
    /(?<![a-z0-9])[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,3})?(?![a-z0-9])/giu,
  valueIn: ibanIn,
};

/** Lengths from the SWIFT IBAN registry. */
const ibanLengths = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 ' +
    'EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 ' +
    'JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 ' +
    'NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 ' +
    'TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry): [string, number] => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** Words behind an IBAN written in groups match too: only its country's length counts. */
function ibanIn(match: string): string | undefined {
  const length = ibanLengths.get(match.slice(0, 2).toUpperCase());
  let value = '';
  let signs = 0;
  for (const sign of match) {
    if (signs === length) break;
    value += sign;
    if (sign !== ' ' && sign !== '-') signs += 1;
  }
  if (signs !== length || /^[a-z0-9]/iu.test(match.slice(value.length))) return undefined;
  return isMod97(value.replace(/[ -]/gu, '').toUpperCase()) ? value : undefined;
}

/** ISO 7064: the country and check digits to the end, letters as 10 to 35, the rest is 1. */
function isMod97(number: string): boolean {
  let rest = 0;
  for (const sign of number.slice(4) + number.slice(0, 4)) {
    const value = Number.parseInt(sign, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

const card: Detector = {
  kind: 'card',
  pattern: /(?<!\w|\d[.,\u2010–-])(?=[2-6]|1800)\d(?:[ .\u2010–-]?\d){11,18}/gu,
  valueIn: cardIn,
};

const cardDigitsMin = 12;
const isDigit = /\d/u;

/** What follows a card matches too, its expiry, its CVV or another card: the longest valid part counts. */
function cardIn(match: string, text: string, start: number): string | undefined {
  let digits = match.replace(/\D/gu, '');
  for (let end = match.length; digits.length >= cardDigitsMin; end -= 1) {
    if (!isDigit.test(match.charAt(end - 1))) continue;
    if (!isDigit.test(text.charAt(start + end)) && isCard(digits)) return match.slice(0, end);
    digits = digits.slice(0, -1);
  }
  return undefined;
}

/** The issuers' ranges: an order number that passes Luhn by chance is mostly outside of them. */
const issuers =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|(?:1800|2131)\d{11}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|62\d{14,17}|(?:50|5[6-8]|6\d)\d{10,17})$/u;

const isCard = (digits: string): boolean => issuers.test(digits) && isLuhn(digits);

function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]);
    const weighted = at % 2 === 0 ? digit : digit * 2;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}

const ssn: Detector[] = [
  {
    kind: 'ssn',
    pattern: /(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])/gu,
  },
  {
    kind: 'ssn',
    pattern: /(?<=\b(?:ssn|social security)\b[^\d\n]{0,20})\d{3}[ -]?\d{2}[ -]?\d{4}(?!\d)/giu,
  },
];

const ip: Detector[] = [
  {
    kind: 'ip',
    pattern: /(?<![\w.]|\bversion[ :]{1,2})\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)/giu,
    valueIn: when(isIPv4),
  },
  {
    kind: 'ip',
    pattern: /(?<![\w:.])[\da-f:]{7,45}(?:\d{0,3}\.\d{1,3}){0,3}(?![\w:])/giu,
    valueIn: when((match) => /\d/u.test(match) && isIPv6(match)),
  },
];

/** In this order: what an earlier one has found, a later one does not see. */
export const detectors: readonly Detector[] = [
  email,
  iban,
  ...secretDetectors,
  card,
  ...ssn,
  ...ip,
  ...phoneDetectors,
];
