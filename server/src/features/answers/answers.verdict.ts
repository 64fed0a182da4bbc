import type { HandoffReason, Verdict } from '../../tables.ts';
import { modelHandoffReasons } from './answers.lines.ts';

export type VerdictLine = { verdict: Verdict; reason: HandoffReason | undefined };

const verdictLengthMax = 32;
const verdictPattern = /^\W*(ANSWER|CLARIFY|NO_ANSWER|HANDOFF(?:\s*:\s*([a-z-]+))?)\W*$/;

/**
 * Reads the verdict off the front of a stream and holds it back. `push` and `end` return the text
 * behind it, once it is known; a stream without a verdict is an ANSWER, all of it shown.
 */
export function createVerdictReader() {
  let held = '';
  let line: VerdictLine | undefined;
  const decide = (verdict: VerdictLine, text: string): string => {
    line = verdict;
    held = '';
    return text;
  };
  const parse = (text: string): VerdictLine | undefined => {
    const match = verdictPattern.exec(text.trim());
    if (!match) return undefined;
    const [, word = '', reason] = match;
    if (!word.startsWith('HANDOFF')) return { verdict: word as Verdict, reason: undefined };
    const known = modelHandoffReasons.find((name) => name === reason);
    return { verdict: 'HANDOFF', reason: known ?? 'requested' };
  };
  return {
    get line(): VerdictLine | undefined {
      return line;
    },
    push(text: string): string {
      if (line) return text;
      held = (held + text).trimStart();
      const newline = held.indexOf('\n');
      const first = newline < 0 ? held : held.slice(0, newline);
      const verdict = newline < 0 ? undefined : parse(first);
      if (verdict) return decide(verdict, held.slice(newline + 1));
      if (newline >= 0 || first.length > verdictLengthMax) {
        return decide({ verdict: 'ANSWER', reason: undefined }, held);
      }
      return '';
    },
    end(): string {
      if (line) return '';
      const verdict = parse(held);
      return verdict ? decide(verdict, '') : decide({ verdict: 'ANSWER', reason: undefined }, held);
    },
  };
}
