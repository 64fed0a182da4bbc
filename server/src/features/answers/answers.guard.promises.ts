import { folded, withoutEmphasis } from './answers.guard.characters.ts';
import { begun, opening, promiseForms } from './answers.guard.promises.forms.ts';
import { contentWordsOf, wordsOf } from './answers.words.ts';

const plain = (text: string): string => withoutEmphasis(folded(text)).replace(/[‘’ʼ]/g, "'");

export const mayBeginPromise = (text: string): boolean => opening.test(plain(text));

/** Whether a sentence behind `before` may turn out to be a promise. */
export const hasBegunPromise = (text: string, before: string): boolean =>
  !matchesBehind(begun, text, before).next().done;

/** Whether a text has words that any promise has. */
export const mayPromise = (text: string): boolean => plain(text).search(begun) >= 0;

/** A condition or a time makes an explanation of a sentence. */
const explaining =
  /(?<!\p{L})(?:if|when|whenever|once|unless|until|after|as soon as|as long as|provided|within|usually|normally|generally|automatically|depending)(?!\p{L})/iu;

/**
 * The promise of an action that a text makes behind `before`. What a passage says in the same words
 * is the company's rule, not a promise; what "I" will do is never a rule.
 */
export function promiseIn(
  text: string,
  before: string,
  passages: readonly string[],
): string | undefined {
  for (const { pattern, explains } of promiseForms) {
    for (const { clause, words, sentence } of matchesBehind(pattern, text, before)) {
      const isOwn = /^(?:i|ich|let)(?!\p{L})/iu.test(clause);
      const isExplained = explains && explaining.test(sentence) && isMentioned(words, passages);
      if (isOwn || !(isExplained || isRule(clause, passages))) return clause;
    }
  }
  return undefined;
}

/** The matches that reach into the text: each alone, to the end of the text, and with its sentence. */
function* matchesBehind(pattern: RegExp, text: string, before: string) {
  const start = plain(before).length;
  const all = plain(before + text);
  for (const { 0: words, index } of all.matchAll(pattern)) {
    if (index + words.length <= start) continue;
    const begin = /[^.!?\n]*$/.exec(all.slice(0, index))?.index ?? 0;
    const [sentence = ''] = all.slice(begin).split(/[.!?\n]/, 1);
    yield { words, clause: all.slice(index), sentence };
  }
}

/** Fewer common words than these any paragraph may have by chance. */
const ruleWordsMin = 4;

const isRule = (clause: string, passages: readonly string[]): boolean =>
  paragraphsOf(passages).some((paragraph) => {
    const words = new Set(wordsOf(paragraph));
    return (
      isMentionedIn(paragraph, clause) &&
      wordsOf(clause).filter((word) => words.has(word)).length >= ruleWordsMin
    );
  });

const isMentioned = (words: string, passages: readonly string[]): boolean =>
  paragraphsOf(passages).some((paragraph) => isMentionedIn(paragraph, words));

const paragraphsOf = (passages: readonly string[]): string[] =>
  passages.flatMap((passage) => passage.split('\n'));

function isMentionedIn(paragraph: string, clause: string): boolean {
  const content = new Set(contentWordsOf(paragraph));
  return contentWordsOf(clause).every((word) => content.has(word));
}
