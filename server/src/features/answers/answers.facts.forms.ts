const unitNames: Record<string, string> = {
  minute: 'minutes minute mins min',
  hour: 'hours hour hrs hr h',
  day: 'days day',
  week: 'weeks week',
  month: 'months month',
  year: 'years year yrs yr',
  percent: '% percent',
  euro: '€ euros euro eur',
  dollar: '$ us$ dollars dollar usd',
  pound: '£ pounds pound gbp',
  franc: 'chf francs franc',
  kilogram: 'kilograms kilogram kilos kilo kg',
  gram: 'grams gram g',
  kilometre: 'kilometres kilometers kilometre kilometer km',
  metre: 'metres meters metre meter m',
  centimetre: 'cm',
  millimetre: 'mm',
  litre: 'litres liters litre liter l',
  millilitre: 'ml',
};
const unitByName = new Map(
  Object.entries(unitNames).flatMap(([unit, names]) =>
    names.split(' ').map((name) => [name, unit] as const),
  ),
);
const tens = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const small = (
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen ' +
  'sixteen seventeen eighteen nineteen'
).split(' ');
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const before = String.raw`(?<![\p{L}\p{N}])`;
const after = String.raw`(?![\p{L}\p{N}])`;
const names = [...unitByName.keys()].sort((one, other) => other.length - one.length);
const unit = String.raw`(?:[\s-]?(?:(?:working|business|calendar|opening|full|more)[\s-])?(${names
  .join('|')
  .replaceAll('$', '\\$')})${after})`;
const currency = String.raw`(€|us\$|\$|£|eur|usd|gbp|chf)`;
const number = String.raw`(\d{1,3}(?:[.,]\d{3}){1,6}(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?)`;
const month =
  '(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|' +
  String.raw`sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?`;

const scales: Record<string, number> = {
  dozen: 12,
  hundred: 100,
  thousand: 1_000,
  million: 1_000_000,
};
const underHundred = `(?:(?:${tens.join('|')})(?:[ -](?:${small.slice(1, 10).join('|')})${after})?|${small.slice(1).join('|')})`;
const scale = `(?:${Object.keys(scales).join('|')})`;

/** A number that is written out, such as `thirty`, `twenty-four` or `two hundred and ten`. */
export const numberWord =
  `((?:${underHundred}[\\s-])?${scale}${after}(?:[\\s-](?:and[\\s-])?${underHundred}${after})?` +
  `|${underHundred}${after})`;

/** One way to write something exact. `read` gives its normal forms: pairs of value and unit. */
export type Form = { pattern: RegExp; read: (groups: string[]) => [string, string][] };

const form = (pattern: string, read: Form['read'], flags = 'giu'): Form => ({
  pattern: new RegExp(before + pattern, flags),
  read,
});

/** The forms, most exact first: what one of them has taken the next ones do not see. */
export const forms: readonly Form[] = [
  form(String.raw`(\d{4})-(\d{2})-(\d{2})${after}`, ([y = '', m, d]) => [dateOf(d, m), [y, '']]),
  form(String.raw`(\d{1,2})\.(\d{1,2})\.(\d{4})${after}`, ([d, m, y = '']) => [
    dateOf(d, m),
    [y, ''],
  ]),
  form(String.raw`(\d{1,2})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?${month}${after}`, ([d, name]) => [
    dateOf(d, monthOf(name)),
  ]),
  form(String.raw`${month}\s+(\d{1,2})(?:st|nd|rd|th)?${after}`, ([name, d]) => [
    dateOf(d, monthOf(name)),
  ]),
  form(
    String.raw`(\d{1,2})(?:[:.](\d{2}))?\s?(a\.?m|p\.?m|uhr|o'clock)${after}`,
    ([hour, minute, half]) => [timeOf(hour, minute, half)],
  ),
  form(String.raw`(\d{1,2}):(\d{2})${after}`, ([hour, minute]) => [timeOf(hour, minute)]),
  // The end of a telephone number is the same with and without the code of the country.
  form(String.raw`((?:\+|\(?0)\d[\d\s().\/-]{5,18}\d)${after}`, ([text = '']) => [
    [text.replace(/\D/g, '').slice(-8), 'telephone'],
  ]),
  form(
    String.raw`${currency}\s?${number}(?:\s?[–-]\s?${currency}?\s?${number})?`,
    ([sign, low, , high]) => numbers([low, high], sign),
  ),
  form(String.raw`${number}(?:\s?[–-]\s?${number})?${unit}`, ([low, high, name]) =>
    numbers([low, high], name),
  ),
  form(`${numberWord}${unit}`, ([name = '', unit]) => numbers([valueOfWord(name)], unit)),
  // With a word that is no unit: `2-person`, `30kg`. Capitals make it a code: `2024X`.
  form(String.raw`${number}(?=-?\p{Ll}+${after})`, ([value]) => numbers([value]), 'gu'),
  form(
    String.raw`((?=[\p{L}\p{N}])(?=[\p{L}\p{M}_-]{0,64}\p{N})(?=[\p{N}_-]{0,64}\p{L})[\p{L}\p{M}\p{N}]+(?:[-_.\/][\p{L}\p{N}]+)*)`,
    ([code = '']) => [[code.replace(/[-_./]/g, ''), 'code']],
  ),
  form(number, ([value]) => numbers([value])),
];

const dateOf = (day: string | undefined, month: string | number | undefined): [string, string] => [
  `${Number(day)}-${Number(month)}`,
  'date',
];

const monthOf = (name = ''): number => months.indexOf(name.slice(0, 3)) + 1;

function timeOf(hour: string | undefined, minute = '', half = ''): [string, string] {
  const afternoon = half.startsWith('p') ? 12 : 0;
  const hours = /^[ap]/.test(half) ? (Number(hour) % 12) + afternoon : Number(hour);
  return [`${hours}:${minute || '00'}`, 'time'];
}

const numbers = (values: readonly (string | undefined)[], name = ''): [string, string][] =>
  values.flatMap((value) => (value ? [[valueOf(value), unitByName.get(name) ?? '']] : []));

/** `1,000` and `1.000` are a thousand; `3,95` and `3.95` have decimals. */
function valueOf(text: string): string {
  const whole = text.replace(/^[1-9]\d{0,2}(?:[.,]\d{3}(?!\d))+/, (groups) =>
    groups.replace(/[.,]/g, ''),
  );
  return String(Number(whole.replace(',', '.')));
}

function valueOfWord(name: string): string {
  let value = 0;
  for (const word of name.split(/[\s-]/)) {
    const size = scales[word];
    if (size !== undefined) value = (value || 1) * size;
    else if (tens.includes(word)) value += (tens.indexOf(word) + 2) * 10;
    else value += Math.max(small.indexOf(word), 0);
  }
  return String(value);
}
