/** The words of a text in lower case, without punctuation; `don't` is one word. */
export const wordsOf = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’]/g, '')
    .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

/** Words that say nothing about what a sentence is about. */
const functionWords = new Set(
  (
    'a an the this that these those it its they them their there here i you your yours we us our ' +
    'he she his her who which what when where how why and or but if then than so as at by for from ' +
    'in into of off on onto out over to up with within without about after before between is are ' +
    'was were be been being am do does did has have had can could may might must shall should will ' +
    'would ll not no yes also just please any some all each every more most other such only very ' +
    'too once until while because during via per get got let know need'
  ).split(' '),
);

/** What a text is about: its words without the function words, cut to a light stem. */
export const contentWordsOf = (text: string): string[] =>
  wordsOf(text)
    .filter((word) => !functionWords.has(word))
    .map(stem);

/** `refunds`, `refunded` and `refunding` are one; `ships`, `shipped` and `shipping` too. */
function stem(word: string): string {
  if (word.length < 4) return word;
  if (word.length === 4) return word.replace(/s$/, '');
  const base = word.replace(/ies$/, 'y').replace(/(?:ing|ed|es|s|e)$/, '');
  return base.replace(/([^aeiou])\1$/, '$1');
}
