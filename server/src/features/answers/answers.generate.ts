import type { Failover } from '../../platform/ai/failover.ts';
import { AiError, type FinishReason, type Usage } from '../../platform/ai/provider.ts';
import type { Passage } from '../knowledge/knowledge.service.ts';
import { customerWords, type Conversation } from './answers.conversation.ts';
import { createAnswerGuard, type GuardViolation } from './answers.guard.ts';
import { buildPrompt, instructions } from './answers.prompt.ts';
import { normalise, type Redactor } from './answers.redaction.ts';
import { createVerdictReader, type VerdictLine } from './answers.verdict.ts';

/** Where an answer's text goes. What was written may be shown at any moment and is never taken back. */
export type Draft = { readonly text: string; write(text: string): void };

/** What came of asking the models: always a source, and either a verdict or a violation. */
export type Generated = {
  provider: string;
  model: string;
  verdict: VerdictLine;
  /** Numbers of the passages that the shown text cites, in order of appearance. */
  cited: number[];
  violation?: GuardViolation;
  finishReason: FinishReason;
  usage?: Usage;
};

const answerLengthMax = 16_000;

/**
 * Asks the models in turn and writes what they may say into the draft: verdict off, personal data
 * back in, guard passed. Throws `AiError` when none of them came to an end.
 */
export async function generate(
  failover: Failover,
  input: {
    conversation: Conversation;
    passages: readonly Passage[];
    redactor: Redactor;
    canary: string;
  },
  draft: Draft,
  options: { signal: AbortSignal; startAt: number },
): Promise<Generated> {
  const { conversation, passages, redactor, canary } = input;
  const newReader = () => ({
    verdict: createVerdictReader(),
    restorer: redactor.createRestorer(),
    guard: createAnswerGuard({
      passages,
      customerText: normalise(customerWords(conversation)),
      allowedUrls: conversation.settings.allowed_urls,
      instructions,
      canary,
      lengthMax: answerLengthMax,
    }),
  });
  let reader = newReader();
  let source = { provider: '', model: '' };
  const result = (rest: Partial<Generated> = {}): Generated => ({
    ...source,
    verdict: reader.verdict.line ?? { verdict: 'ANSWER', reason: undefined },
    cited: reader.guard.cited(),
    violation: reader.guard.violation(),
    finishReason: 'stop',
    ...rest,
  });
  const parts = failover.stream({
    ...options,
    buildPrompt: (_provider, shrink) =>
      buildPrompt({
        conversation,
        passages,
        // What nobody sees must not reach the model either: instructions hide in it.
        redact: (text) => redactor.redact(normalise(text)),
        canary,
        shrink,
      }),
    nothingShown: () => draft.text === '',
  });
  for await (const part of parts) {
    if (part.type === 'provider') {
      source = { provider: part.provider, model: part.model };
      reader = newReader();
      continue;
    }
    const { verdict, restorer, guard } = reader;
    if (part.type === 'text-delta') {
      const text = verdict.push(part.text);
      // A person takes over, or nothing was found: the model's further words are not shown.
      if (endsIt(verdict.line)) return result();
      if (text) draft.write(guard.push(restorer.push(text)));
      if (guard.violation()) return result();
      continue;
    }
    const rest = verdict.end();
    if (endsIt(verdict.line)) return result({ usage: part.usage });
    draft.write(guard.push(restorer.push(rest) + restorer.end()) + guard.end());
    // A verdict and nothing behind it: as empty as no reply.
    if (draft.text === '' && !guard.violation()) {
      throw new AiError('invalid', 'the model wrote a verdict and no text');
    }
    return result({ usage: part.usage, finishReason: part.finishReason });
  }
  throw new AiError('invalid', 'the stream ended without an end');
}

const endsIt = (line: VerdictLine | undefined): boolean =>
  line?.verdict === 'NO_ANSWER' || line?.verdict === 'HANDOFF';
