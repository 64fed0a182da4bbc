import type { HandoffReason, Verdict } from '../../tables.ts';
import { modelHandoffReasons } from './answers.lines.ts';

export type VerdictLine = { verdict: Verdict; reason: HandoffReason | undefined };

/** A verdict stands on the first line, within so many characters, or there is none. */
const verdictLengthMax = 32;
const front = /^(\W*)(ANSWER|CLARIFY|NO_ANSWER|HANDOFF)(?!\w)(.*)$/is;
const isAlone = /^\W*$/;
const isLabel = /^[*_`"')\]]*\s*:/;
/** In capitals it needs no colon: `CLARIFY Which order?`. `ANSWER-PHONE` is a word. */
const isSetOff = /^(?:[\s.,;!–—*_`"')\]]|$)/;
const separator = /^\s*(?::|[–—-](?=\s|$)|[–—]|[.,;!](?=\s|$))?/;
const decoratedSeparator = /^[*_`"')\]]*(?:\s*(?::|[–—-](?=\s|$)|[–—]|[.,;!])[*_`"')\]]*(?=\s|$))?/;
const statedReason = new RegExp(String.raw`^\W*(${modelHandoffReasons.join('|')})(?![\w'’])`, 'i');
const anyReason = /^\s*:\s*[a-z-]+/i;

/**
 * The verdict at the front of a line and the text behind it. A line that is not complete may go on:
 * on its own a word in small letters is no verdict yet. `Answer the door` and `ANSWERS are` never are.
 */
function parse(line: string, isComplete: boolean): (VerdictLine & { text: string }) | undefined {
  const [, lead = '', word = '', rest = ''] = front.exec(line) ?? [];
  const verdict = word.toUpperCase() as Verdict;
  const isHandoff = verdict === 'HANDOFF';
  const isWhole = isComplete && isAlone.test(isHandoff ? rest.replace(anyReason, '') : rest);
  const isMarked = word === verdict || verdict === 'NO_ANSWER' ? isSetOff : isLabel;
  if (word === '' || !(isWhole || isMarked.test(rest) || isLabel.test(rest))) return undefined;
  const name = isHandoff ? statedReason.exec(rest)?.[1]?.toLowerCase() : undefined;
  const reason = modelHandoffReasons.find((known) => known === name) ?? 'requested';
  const behind = name === undefined ? rest : rest.replace(statedReason, '');
  const text = isWhole ? '' : behind.replace(lead.trim() ? decoratedSeparator : separator, '');
  return { verdict, reason: isHandoff ? reason : undefined, text };
}

/**
 * Reads the verdict off the front of a stream and holds it back. `push` and `end` return the text
 * behind it, once it is known; a stream without a verdict is an ANSWER, all of it shown.
 */
export function createVerdictReader() {
  let held = '';
  let line: VerdictLine | undefined;
  let hasBegun = false;

  /** Looks at no more than there is however the stream was cut. */
  function decide(isEnd: boolean): void {
    const head = held.slice(0, verdictLengthMax);
    const newline = head.indexOf('\n');
    if (newline < 0 && head.length < verdictLengthMax && !isEnd) return;
    const first = newline < 0 ? head : head.slice(0, newline);
    const isComplete = newline >= 0 || head.length < verdictLengthMax;
    const { text = first, verdict = 'ANSWER', reason } = parse(first, isComplete) ?? {};
    line = { verdict, reason };
    held = text + held.slice(first.length);
  }

  /** The text begins with its first word, on whatever line. */
  function read(text: string, isEnd: boolean): string {
    if (hasBegun) return text;
    held = (held + text).trimStart();
    if (!line) decide(isEnd);
    if (!line) return '';
    const shown = held.trimStart();
    held = '';
    hasBegun = shown !== '';
    return shown;
  }

  return {
    get line(): VerdictLine | undefined {
      return line;
    },
    push: (text: string): string => read(text, false),
    end: (): string => read('', true),
  };
}
