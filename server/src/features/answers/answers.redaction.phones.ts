import type { Detector } from './answers.redaction.kinds.ts';

/*
 * A bare row of digits is an order number until something says that it is a phone: its own form (a
 * plus, a trunk zero with groups, an area code in parentheses, 3-3-4, the prefix and length of a
 * mobile), or a word beside it.
 */

const digitsIn = (match: string): number => match.replace(/\D/gu, '').length;
const between =
  (least: number, most: number) =>
  (match: string): string | undefined =>
    digitsIn(match) >= least && digitsIn(match) <= most ? match : undefined;

const international = /(?<![\w+])\(?\+\d{1,3}\)?(?:[ .()/-]{0,2}\d){6,12}(?!\d)/gu;
const dialledOut = /(?<![\w+.,/-]|\d )00[1-9]\d{0,2}(?=[ .(/-])(?:[ .()/-]{0,2}\d){6,12}(?!\d)/gu;
const grouped = /(?<![\w.,/-]|\d )(?:1[ .-])?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-]|[.,]\d)/gu;
const withAreaCode = /(?<!\w)\(\d{2,5}\) ?\d{2,4}(?:[ -]?\d{2,4}){1,2}(?![\w-])/gu;
const withTrunkZero =
  /(?<![\w.,/-]|\d )\(?0\d{1,4}\)?(?:[ /-]\d{2,4}){1,4}(?:\d{0,4})(?![\w-]|[.,]\d)/gu;
/** British, German, French and Australian mobiles in one piece, unless a word before says otherwise. */
const mobile =
  /(?<![\w.,/#-]|\d |(?:order|parcel|track|invoice|ticket|referen|ref|customer|account|item|article|product|serial|bestell|sendung|rechnung|kunden)\p{L}{0,8}\.?(?: (?:is|no\.?|nr\.?|number|id|code)){0,2}[ :#]{1,3})0(?:7[1-9]\d{8}|1[5-7]\d{8,9}|[67]\d{8}|4\d{8})(?![\w-]|[.,]\d)/giu;
const bare = /(?<![\w.,:/#$€£-]|\d )\d{2,4}(?:[ .-]?\d{2,4}){1,5}(?![\w-]|[.,]\d)/gu;

const named =
  /\b(?:(?:tele)?phone|tel|mobile|cell(?:phone)?|fax|whatsapp|sms|hotline|dial|(?:call|text|ring|reach|contact|message) (?:me|us)|my number|contact number|messages to|my registered|telefon|handy|móvil|téléphone)(?: (?:is|at|on|under|number|no)\.?)*[^\p{L}\d\n]{0,4}$/iu;
const namedBehind = /^[ ,(]{0,3}(?:office|fax|mobile|cell|phone|home|work)\b/iu;
/** Characters around a number that may hold the word. */
const reach = 40;

export const phoneDetectors: readonly Detector[] = [
  { kind: 'phone', pattern: international, valueIn: between(8, 15) },
  { kind: 'phone', pattern: dialledOut, valueIn: between(10, 17) },
  { kind: 'phone', pattern: grouped },
  { kind: 'phone', pattern: withAreaCode, valueIn: between(7, 13) },
  { kind: 'phone', pattern: withTrunkZero, valueIn: between(9, 13) },
  { kind: 'phone', pattern: mobile },
  { kind: 'phone', pattern: bare, valueIn: namedPhoneIn },
];

function namedPhoneIn(match: string, text: string, start: number): string | undefined {
  if (!between(7, 15)(match)) return undefined;
  const end = start + match.length;
  const isNamed =
    named.test(text.slice(Math.max(0, start - reach), start)) ||
    namedBehind.test(text.slice(end, end + reach));
  return isNamed ? match : undefined;
}
