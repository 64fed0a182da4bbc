import type { Failover } from '../../platform/ai/failover.ts';
import {
  AiError,
  type AiErrorReason,
  type FinishReason,
  type Prompt,
  type Usage,
} from '../../platform/ai/provider.ts';
import type { Passage } from '../knowledge/knowledge.service.ts';
import { customerWords, type Conversation } from './answers.conversation.ts';
import { createAnswerGuard, type GuardViolation } from './answers.guard.ts';
import { buildPrompt, instructions, passagesSent } from './answers.prompt.ts';
import { normalise, type Redactor } from './answers.redaction.ts';
import { createVerdictReader, type VerdictLine } from './answers.verdict.ts';

/** Where an answer's text goes. What was written may be shown at any moment and is never taken back. */
export type Draft = { readonly text: string; write(text: string): void };

/** What came of asking the models. */
export type Generated = {
  provider: string;
  model: string;
  verdict: VerdictLine;
  /** Numbers of the passages that the shown text cites, in order of appearance. */
  cited: number[];
  violation?: GuardViolation;
  /** Why it broke off after text was shown. */
  failure?: AiErrorReason;
  finishReason: FinishReason;
  /** As the provider counted, or estimated when it was not heard to the end. */
  usage: Usage;
};

const answerLengthMax = 16_000;
const charactersPerToken = 4;

/**
 * Asks the models in turn and writes what they may say into the draft: verdict off, personal data
 * back in, guard passed. Throws `AiError` when none of them came to an end and nothing was shown.
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
  const { conversation, redactor, canary } = input;
  const customerText = normalise(customerWords(conversation));
  let passages = input.passages;
  let promptLength = 0;
  let reader: ReturnType<typeof newReader> | undefined;
  let source = { provider: '', model: '' };

  /** One attempt's way from the wire to the draft. */
  function newReader() {
    const verdict = createVerdictReader();
    const restorer = redactor.createRestorer();
    const guard = createAnswerGuard({
      passages,
      customerText,
      allowedUrls: conversation.settings.allowed_urls,
      instructions,
      canary,
      lengthMax: answerLengthMax,
    });
    return { verdict, restorer, guard, length: 0 };
  }

  const result = (rest: Partial<Generated> = {}): Generated => ({
    ...source,
    verdict: reader?.verdict.line ?? { verdict: 'ANSWER', reason: undefined },
    cited: reader?.guard.cited() ?? [],
    violation: reader?.guard.violation(),
    finishReason: 'stop',
    ...rest,
    usage: rest.usage ?? {
      inputTokens: Math.ceil(promptLength / charactersPerToken),
      outputTokens: Math.ceil((reader?.length ?? 0) / charactersPerToken),
    },
  });

  const promptFor = (shrink: number): Prompt => {
    passages = passagesSent(input.passages, shrink);
    // What nobody sees must not reach the model either: instructions hide in it.
    const redact = (text: string) => redactor.redact(normalise(text));
    const prompt = buildPrompt({ conversation, passages, redact, canary, shrink });
    promptLength = prompt.messages.reduce((sum, { content }) => sum + content.length, 0);
    return prompt;
  };
  const parts = failover.stream({
    ...options,
    buildPrompt: (_provider, shrink) => promptFor(shrink),
    nothingShown: () => draft.text === '',
  });
  try {
    for await (const part of parts) {
      if (part.type === 'provider') {
        source = { provider: part.provider, model: part.model };
        reader = undefined;
        continue;
      }
      reader ??= newReader();
      const { verdict, restorer, guard } = reader;
      if (part.type === 'text-delta') {
        reader.length += part.text.length;
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
  } catch (error) {
    if (!(error instanceof AiError) || draft.text === '') throw error;
    return result({ failure: error.reason });
  }
  throw new AiError('invalid', 'the stream ended without an end');
}

const endsIt = (line: VerdictLine | undefined): boolean =>
  line?.verdict === 'NO_ANSWER' || line?.verdict === 'HANDOFF';
