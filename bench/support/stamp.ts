/*
 * The time at which a piece of text was written, as a word within the text, so that who reads it knows
 * how long it took. Letters only: a guard may look twice at digits, links and marks. The clock is the
 * machine's monotonic one, which all processes share.
 */

const mark = 'q';
const letters = 6;
const base = 26;
/** One unit is 10 µs; the letters wrap around after 51 minutes. */
const unitNs = 10_000n;
const wrap = base ** letters;
const firstLetter = 'a'.charCodeAt(0);
const pattern = new RegExp(`\\b${mark}([a-z]{${letters}})\\b`, 'g');

const now = (): number => Number((process.hrtime.bigint() / unitNs) % BigInt(wrap));

/** The word for this moment. */
export function stampNow(): string {
  let rest = now();
  let word = '';
  for (let letter = 0; letter < letters; letter += 1) {
    word = String.fromCharCode(firstLetter + (rest % base)) + word;
    rest = Math.floor(rest / base);
  }
  return mark + word;
}

/** Milliseconds since each stamp in the text was made. */
export function delaysIn(text: string): number[] {
  const delays: number[] = [];
  const readAt = now();
  for (const [, word = ''] of text.matchAll(pattern)) {
    let time = 0;
    for (const letter of word) time = time * base + letter.charCodeAt(0) - firstLetter;
    delays.push(((readAt - time + wrap) % wrap) / 100);
  }
  return delays;
}
