/** Characters of a message that rules look at: what decides by itself is said early. */
const lengthMax = 2_000;

/**
 * The words of a message in plain letters: lower case, no accents, no apostrophes, ` . ` where a
 * sentence ends and ` , ` at a comma. Rules match this text, with one space around every word.
 */
export function plainWords(message: string): string {
  const letters = message
    .slice(0, lengthMax)
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}'’`´]/gu, '')
    .replace(/[.!?;\n]+/gu, ' . ')
    .replace(/[,:()]+/gu, ' , ')
    .replace(/[^\p{L}\p{N}.,]+/gu, ' ');
  return ` ${letters.trim()} `;
}

/**
 * The same text with misspelt words put right, for a vocabulary of words in their right spelling.
 * `lookAlikes` are words of their own that a misspelling could be taken for, or be meant to be.
 */
export function createSpelling(vocabulary: string, lookAlikes: string) {
  const known = new Set(vocabulary.split(' '));
  const spelt = [...known, ...lookAlikes.split(' ')];
  const right = new Set(spelt);

  function correct(word: string): string {
    if (word.length < 3 || right.has(word)) return word;
    const [, first, rest] = /^(to|with|an?)(.{4,})$/u.exec(word) ?? [];
    if (first && rest && known.has(rest)) return `${first} ${rest}`;
    // "can" and "won" are words, not slips in "cant" and "wont".
    const candidates = word.length === 3 ? [...known] : spelt;
    const near = candidates
      .filter((candidate) => candidate.length > 3 && mayBeMeant(word, candidate))
      .map((candidate) => ({ candidate, slips: slips(word, candidate) }))
      .filter(({ candidate, slips }) => slips <= slipsMax(candidate))
      .sort((one, other) => one.slips - other.slips);
    return near[0]?.candidate ?? word;
  }

  return (words: string): string => words.replace(/\p{L}+/gu, correct);
}

/** One slip in a word, two in a long one. */
const slipsMax = (candidate: string): number => (candidate.length < 8 ? 1 : 2);

/** A short word keeps its first letter at least. */
const mayBeMeant = (word: string, candidate: string): boolean =>
  (candidate.length > 4 || word[0] === candidate[0]) &&
  Math.abs(word.length - candidate.length) <= slipsMax(candidate);

/** Letters left out, put in, mistaken or swapped (optimal string alignment). */
function slips(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const mistaken = one[i - 1] === other[j - 1] ? 0 : 1;
      const isSwapped =
        i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row.push(
        Math.min(
          (last[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (last[j - 1] ?? 0) + mistaken,
          isSwapped ? (beforeLast[j - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    [beforeLast, last] = [last, row];
  }
  return last[other.length] ?? 0;
}

/** A pattern for one of the words in these comma-separated lists, each a pattern itself. */
export const anyOf = (...lists: string[]): string =>
  `(?:${lists.flatMap((list) => list.split(', ')).join('|')})`;
