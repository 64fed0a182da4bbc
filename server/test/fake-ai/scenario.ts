import type { AiErrorReason, FinishReason } from '../../src/platform/ai/provider.ts';
import type { Exchange } from './exchange.ts';

/** What a correct client makes of a scenario. */
export type Outcome = {
  outcome: 'completed' | AiErrorReason;
  /** All the text, also what comes before a failure. Missing: it depends on the prompt. */
  text?: string;
  /** The text may be cut short, because a broken connection takes along what was not read yet. */
  textMayBeShort?: true;
  finishReason?: FinishReason;
  withoutUsage?: true;
  status?: number;
  code?: string;
  retryAfterMs?: number;
};

export type Scenario = {
  about: string;
  expected: Outcome;
  /** The stream ends when this does. */
  reply(exchange: Exchange): Promise<void> | void;
};

export type Scenarios = Readonly<Record<string, Scenario>>;

export const completes = (text?: string, rest: Partial<Outcome> = {}): Outcome => ({
  outcome: 'completed',
  text,
  finishReason: 'stop',
  ...rest,
});

export const fails = (outcome: AiErrorReason, rest: Partial<Outcome> = {}): Outcome => ({
  outcome,
  text: '',
  ...rest,
});
