import { wordsOf } from './answers.words.ts';

/** So many words in a row are no chance any more. */
const runLength = 8;
const verdict = /^\W*(?:ANSWER|CLARIFY|NO_ANSWER|HANDOFF(?:\s*:\s*[a-z-]*)?)\W*$/m;
const verdictWord = /(?<![\p{L}\p{N}])(?:NO_ANSWER|HANDOFF\s*:\s*[a-z])/u;
const openVerdict = /(?:^|\n)\W*(?:ANSWER|CLARIFY|HANDOFF)\W*$/;

const compact = (text: string): string => wordsOf(text).join('');

/** Whether the last line may still become a verdict. */
export const mayBecomeVerdict = (text: string): boolean => openVerdict.test(text);

/** A verdict, or the mark of a passage, in a text that begins with a line: the prompt's own forms. */
export const promptMarkIn = (text: string): string | undefined =>
  (/<\s*\/?\s*kb-/i.exec(text) ?? verdictWord.exec(text) ?? verdict.exec(text))?.[0].trim();

/**
 * Sees the prompt in a text that comes word by word: its canary, also when it is spelled with marks
 * between, or eight words of the instructions in a row. `push` returns what was found.
 */
export function createPromptRule(instructions: string, canary: string) {
  const words = wordsOf(instructions);
  const runs = new Set(words.map((_, at) => words.slice(at, at + runLength).join(' ')));
  const secret = compact(canary);
  let last: string[] = [];
  let tail = '';
  return {
    push(text: string): string | undefined {
      const added = wordsOf(text);
      tail += added.join('');
      if (secret !== '' && tail.includes(secret)) return 'canary';
      tail = tail.slice(-Math.max(secret.length, 1));
      for (const word of added) {
        last = [...last, word].slice(-runLength);
        if (last.length === runLength && runs.has(last.join(' '))) return last.join(' ');
      }
      return undefined;
    },
  };
}
