import { citedIn } from './answers.citations.ts';
import { isShown } from './answers.guard.characters.ts';
import { citationsChecked, openCitationAt } from './answers.guard.citations.ts';
import {
  createGuardRules,
  type GuardedPassage,
  type GuardViolation,
} from './answers.guard.rules.ts';
import { isListLine, isSentenceOver } from './answers.guard.sentences.ts';

export type { GuardRule, GuardViolation } from './answers.guard.rules.ts';

/** Characters of the answer that the rules see before the text that they judge. */
const contextLength = 200;
/** Characters that are held back at most; only a link that a passage has may be longer. */
const heldMax = 160;
/** Characters of markup around a link, such as `[the page of returns](…)`. */
const linkMarkup = 80;
/** So many characters tell whether a line is an item of a list. */
const lineStartLength = 8;

/**
 * Stands between the model and the reader: what `push` and `end` return may be shown at once and is
 * never taken back, and together it is the same however the model's text was cut. Plain words pass
 * one by one. A link waits for its end; a number, which a citation may support, and a promise, which
 * may be the company's rule, wait for the end of their sentence. After a violation nothing is
 * returned any more.
 */
export function createAnswerGuard(options: {
  passages: readonly GuardedPassage[];
  /** What the customer wrote: its numbers may be repeated. */
  customerText: string;
  /** Addresses below which every page may be linked. */
  allowedUrls: readonly string[];
  /** The prompt's instructions, and a secret word in it: neither may be shown. */
  instructions: string;
  canary: string;
  /** Characters of the whole answer, in UTF-16 code units. */
  lengthMax: number;
}) {
  const rules = createGuardRules(options);
  const wordMax = Math.max(heldMax, rules.linkLengthMax + linkMarkup);
  const cited = new Set<number>();
  /** Passages that the sentence under way cites. */
  const citedHere = new Set<number>();
  let broken: GuardViolation | undefined;
  let held = '';
  let waitsForSentence = false;
  let context = '';
  let line = '';
  let length = 0;
  let previous = '';
  let half = '';

  const checked = (text: string): string => citationsChecked(text, options.passages.length);

  /** Takes one code point, and returns what it has decided of those before. */
  function accept(character: string): string {
    if (broken || !isShown(character, previous)) return '';
    previous = character;
    const isSpace = /\s/.test(character);
    const inWord = /\S$/.test(held);
    let released = '';
    const isOver =
      character === '\n' ||
      (!isSpace && !inWord && isSentenceOver(context.slice(-40) + held, character));
    if (isOver) released = endSentence();
    else if (isSpace && inWord) released = endWord();
    held += character;
    if (character === '\n') line = '';
    else if (line.length < lineStartLength) line += character;
    return held.length > heldMax ? released + cut() : released;
  }

  function endWord(): string {
    if (waitsForSentence) return '';
    const text = checked(held);
    if (openCitationAt(text) < text.length || rules.mayTurnBad(text, context)) return '';
    const isNearEnd = length + held.length + heldMax > options.lengthMax;
    waitsForSentence = isNearEnd || rules.needsSentence(text, context);
    return waitsForSentence ? '' : release(held.length);
  }

  function endSentence(): string {
    const released = /\S/.test(held) ? release(openCitationAt(held), true) : '';
    citedHere.clear();
    return released;
  }

  /** Too much is held: what stands before the word under way is decided as it is. */
  function cut(): string {
    const words = /^\s*\S[^]*(?=\s)/.exec(held)?.[0].trimEnd() ?? '';
    const text = words !== '' || held.length <= wordMax ? words : held;
    if (text === '') return '';
    return release(openCitationAt(text) || text.length);
  }

  /** Judges the first characters of what is held, and lets them go. */
  function release(heldLength: number, isSentenceEnd = false): string {
    const whole = checked(held.slice(0, heldLength));
    const text = length === 0 ? whole.trimStart() : whole;
    const cites = citedIn(text);
    for (const n of cites) citedHere.add(n);
    broken = rules.judge(text, {
      context,
      isSentenceEnd,
      isListLine: isListLine(line),
      citedHere,
      citedBefore: cited,
      lengthLeft: options.lengthMax - length,
    });
    waitsForSentence = false;
    held = broken ? '' : held.slice(heldLength);
    if (broken) return '';
    for (const n of cites) cited.add(n);
    context = (context + text).slice(-contextLength);
    length += text.length;
    return text;
  }

  return {
    /** Numbers of the passages that the shown text cites, in order of appearance. */
    cited: (): number[] => [...cited],
    /** What stopped the answer. */
    violation: (): GuardViolation | undefined => broken,
    push(text: string): string {
      let released = '';
      half += text;
      // The first half of a surrogate pair waits for the second.
      const whole = /[\ud800-\udbff]$/.test(half) ? half.slice(0, -1) : half;
      half = half.slice(whole.length);
      for (const character of whole) released += accept(character);
      return released;
    },
    end(): string {
      if (broken) return '';
      const released = release(held.trimEnd().length, true);
      held = '';
      return released;
    },
  };
}
