/** A word as the articles spell it, and how many chunks have it. */
export type VocabularyWord = { word: string; chunks: number };

/** Gives the word that was meant, or undefined when none is near enough, or two are as near. */
export type Speller = (word: string) => string | undefined;

/** Shorter words have too many neighbours. */
const lengthMin = 5;
/** From this length on, two slips are forgiven instead of one. */
const longWord = 8;
/** A word that is this many times as frequent wins over another one that is as near. */
const clearlyMoreFrequent = 4;

/** Looks misspelt words up by their trigrams. Makes no attempt at a word that it has. */
export function createSpeller(vocabulary: readonly VocabularyWord[]): Speller {
  const known = new Set(vocabulary.map(({ word }) => word));
  const byTrigram = new Map<string, VocabularyWord[]>();
  for (const entry of vocabulary) {
    if (entry.word.length < lengthMin) continue;
    for (const trigram of trigramsOf(entry.word)) {
      const entries = byTrigram.get(trigram);
      if (entries) entries.push(entry);
      else byTrigram.set(trigram, [entry]);
    }
  }

  return (word) => {
    if (word.length < lengthMin || known.has(word) || !/^\p{L}+$/u.test(word)) return undefined;
    const slipsMax = word.length >= longWord ? 2 : 1;
    const near = new Set<VocabularyWord>();
    for (const trigram of trigramsOf(word)) {
      for (const entry of byTrigram.get(trigram) ?? []) {
        if (isSimilar(entry.word, word, slipsMax)) near.add(entry);
      }
    }
    const found = [...near]
      .map((entry) => ({ ...entry, slips: slipsBetween(entry.word, word) }))
      .filter(({ slips }) => slips <= slipsMax)
      .sort((one, other) => one.slips - other.slips || other.chunks - one.chunks);
    const [best, second] = found;
    const isTie =
      best && second?.slips === best.slips && best.chunks < clearlyMoreFrequent * second.chunks;
    // Forms of one word are no tie: whichever is taken, the search finds the same.
    return isTie && !isFormOf(best.word, second.word) ? undefined : best?.word;
  };
}

/** People rarely get the first letter wrong. */
const isSimilar = (known: string, word: string, slipsMax: number): boolean =>
  known[0] === word[0] && Math.abs(known.length - word.length) <= slipsMax;

const isFormOf = (one: string, other: string): boolean =>
  one.startsWith(other.slice(0, -1)) || other.startsWith(one.slice(0, -1));

function trigramsOf(word: string): Set<string> {
  const padded = ` ${word} `;
  return new Set(Array.from({ length: padded.length - 2 }, (_, at) => padded.slice(at, at + 3)));
}

/** Letters added, left out, changed, or swapped with their neighbour (optimal string alignment). */
export function slipsBetween(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      let slips = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      if (one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]) {
        slips = Math.min(slips, (beforeLast[column - 2] ?? Infinity) + 1);
      }
      current.push(slips);
    }
    [beforeLast, last] = [last, current];
  }
  return last[other.length] ?? 0;
}
