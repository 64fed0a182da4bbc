import type { FinishReason, Usage } from '../../platform/ai/provider.ts';
import type { AnswerTrace, Citation, HandoffReason, Verdict } from '../../tables.ts';
import type { Settings } from '../settings/settings.service.ts';

/** How an answer ended, by the words of docs/answers.md. `line` is what the product adds to the text. */
export type Outcome = {
  state: 'completed' | 'handed_off' | 'incomplete' | 'failed';
  verdict?: Verdict;
  handoff?: { mode: 'now' | 'offer'; reason: HandoffReason };
  line?: string;
  citations?: Citation[];
  finishReason?: FinishReason;
  usage?: Usage;
  /** US dollars. */
  cost?: number;
  provider?: string;
  model?: string;
  /** Kind of the failure; for staff. */
  failure?: string;
  needsReview?: boolean;
  /** The question that the articles did not answer, without personal data. */
  gap?: string;
  trace?: AnswerTrace;
};

type Lines = Settings['lines'];

/** A person takes over now. */
export const handOff = (reason: HandoffReason, lines: Lines): Outcome => ({
  state: 'handed_off',
  verdict: 'HANDOFF',
  handoff: { mode: 'now', reason },
  line: lines.handed_off,
  finishReason: 'stop',
});

/** The first time a person is offered, the second time in a row one is called. */
export const noAnswer = (foundNothingBefore: boolean, lines: Lines): Outcome =>
  foundNothingBefore
    ? { ...handOff('no-answer', lines), verdict: 'NO_ANSWER' }
    : {
        state: 'completed',
        verdict: 'NO_ANSWER',
        handoff: { mode: 'offer', reason: 'no-answer' },
        line: lines.no_answer,
        finishReason: 'stop',
      };

/** A sentence that needs no article, such as a greeting. */
export const canned = (line: string): Outcome => ({
  state: 'completed',
  verdict: 'ANSWER',
  line,
  finishReason: 'stop',
});

/** The answer stands, and a person is offered beside it. */
export const withOffer = (outcome: Outcome, reason: HandoffReason, lines: Lines): Outcome =>
  outcome.state === 'completed' && !outcome.handoff
    ? { ...outcome, handoff: { mode: 'offer', reason }, line: lines.offer }
    : outcome;
