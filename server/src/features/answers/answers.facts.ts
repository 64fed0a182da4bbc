import { forms, numberWord } from './answers.facts.forms.ts';
import { folded, withoutEmphasis } from './answers.guard.characters.ts';

/**
 * Something exact that a text states: an amount, duration, date, time, code or telephone number.
 * `value` is its normal form: `1,000` is 1000, `3 pm` is 15:00, `fw-20` is fw20. A plain number has
 * the unit `''`.
 */
export type Fact = { value: string; unit: string; text: string };

/** What texts state: for each value the units that it stands with. */
export type Evidence = ReadonlyMap<string, ReadonlySet<string>>;

const mayStateFact = new RegExp(String.raw`\p{N}|(?<!\p{L})${numberWord}[\s-]`, 'iu');

/** List markers, steps and keycap emoji count the text itself: they state nothing. */
const counters =
  /(?:^|\n)[ \t>#]{0,40}\d{1,2}[.)](?=\s|$)|(?<!\p{L})(?:step|schritt|stap|étape|paso|option)\s+\d{1,2}(?!\p{N})|\d\u20e3/giu;

const blank = (text: string): string => '\n'.repeat(text.length);

/** All that a text states that stands behind `before`. Citations must have been taken out. */
export function factsIn(text: string, before = ''): Fact[] {
  if (!mayStateFact.test(text)) return [];
  const start = plain(before).length;
  const facts: Fact[] = [];
  let rest = plain(before + text).replace(counters, blank);
  for (const { pattern, read } of forms) {
    for (const match of rest.matchAll(pattern)) {
      const [found, ...groups] = match;
      if (match.index + found.length <= start) continue;
      const values = read(groups.map((group?: string) => group?.toLowerCase() ?? ''));
      facts.push(...values.map(([value, unit]) => ({ value, unit, text: found })));
    }
    rest = rest.replace(pattern, blank);
  }
  return facts;
}

/** Digits of one form, `1 000` with its special spaces joined, nothing that only decorates. */
const plain = (text: string): string =>
  withoutEmphasis(
    folded(text.replace(/(?<=\d)[\u00a0\u2009\u202f'’](?=\d{3}(?!\d))/g, '')),
  ).replace(/[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]/g, (digit) =>
    String((digit.charCodeAt(0) - (digit > '\u08ff' ? 6 : 0)) & 15),
  );

export function evidenceOf(texts: readonly string[]): Evidence {
  const evidence = new Map<string, Set<string>>();
  for (const { value, unit } of texts.flatMap((text) =>
    text.split('\n').flatMap((line) => factsIn(line)),
  )) {
    evidence.set(value, (evidence.get(value) ?? new Set()).add(unit));
  }
  return evidence;
}

/**
 * Whether evidence states a fact: the same value with the same unit. In a table the unit stands in
 * another cell, and in another language it is another word: where one side has none, the value counts.
 */
export function isStated({ value, unit }: Fact, evidence: Evidence): boolean {
  const units = evidence.get(value);
  if (!units) return false;
  return unit === '' || units.has(unit) || (units.has('') && !exactUnits.has(unit));
}

const exactUnits = new Set(['date', 'time', 'code', 'telephone']);
