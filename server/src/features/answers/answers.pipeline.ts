import { AiError, type FinishReason, type Usage } from '../../platform/ai/provider.ts';
import type { Failover } from '../../platform/ai/failover.ts';
import type { AnswerSource, Citation, HandoffReason, Verdict } from '../../tables.ts';
import type { KnowledgeService, Passage } from '../knowledge/knowledge.service.ts';
import { extractiveAnswer } from './answers.extractive.ts';
import { hasEvidence } from './answers.gate.ts';
import { createGuard } from './answers.guard.ts';
import { lines } from './answers.lines.ts';
import {
  buildPrompt,
  createVerdictReader,
  searchText,
  type VerdictLine,
} from './answers.prompt.ts';
import type { Turn } from './answers.repository.ts';
import { matchRule } from './answers.rules.ts';

/** What an answer replies to. */
export type Conversation = {
  title: string;
  turns: readonly Turn[];
  /** `seq` of the last message that an earlier answer replied to. */
  answeredSeq: number;
  /** The answer before this one offered a person, found nothing. */
  offered: boolean;
  foundNothingBefore: boolean;
};

/** Where a run's text goes. What was written may be shown at any moment and is never taken back. */
export type Draft = {
  readonly text: string;
  write(text: string): void;
  saveSources(sources: AnswerSource[]): Promise<void>;
};

/** How an answer ended, by the words of answering.md. `line` is what the product adds to the text. */
export type Outcome = {
  state: 'completed' | 'handed_off' | 'incomplete' | 'failed';
  verdict?: Verdict;
  handoff?: { mode: 'now' | 'offer'; reason: HandoffReason };
  line?: string;
  citations?: Citation[];
  finishReason?: FinishReason;
  usage?: Usage;
  provider?: string;
  model?: string;
  /** Kind of the failure; for staff. */
  failure?: string;
};

const passagesMax = 6;
const answerLengthMax = 16_000;
const quoteLengthMax = 200;

export type Pipeline = ReturnType<typeof createPipeline>;

/** The way from a question to an answer: rules, retrieval, gate, generation, guard. */
export function createPipeline(dependencies: {
  knowledge: KnowledgeService;
  failover: Failover;
  /** Whether the keyless mode stands at the end of the chain. */
  extractive: boolean;
  /** The kill switch: false gives what is still queued to people. */
  enabled: boolean;
}) {
  const { knowledge, failover, extractive, enabled } = dependencies;

  return async function produce(
    conversation: Conversation,
    draft: Draft,
    options: { signal: AbortSignal; startAt: number },
  ): Promise<Outcome> {
    if (!enabled) return { state: 'failed', failure: 'disabled' };
    const newest = conversation.turns.findLast((turn) => turn.author_type === 'customer');
    const rule = matchRule(newest?.content ?? '', conversation.offered);
    if (rule) return handOff(rule.reason);

    const text = searchText(conversation.title, conversation.turns, conversation.answeredSeq);
    const passages = await knowledge.search(undefined, text, passagesMax);
    await draft.saveSources(passages.map(sourceOf));
    if (!hasEvidence(passages)) return noAnswer(conversation);

    try {
      return await generate(conversation, passages, draft, options);
    } catch (error) {
      if (!(error instanceof AiError)) throw error;
      if (draft.text !== '') return { state: 'incomplete', failure: error.reason };
      if (extractive) return quote(passages, draft);
      return { state: 'failed', failure: error.reason };
    }
  };

  async function generate(
    conversation: Conversation,
    passages: Passage[],
    draft: Draft,
    { signal, startAt }: { signal: AbortSignal; startAt: number },
  ): Promise<Outcome> {
    let verdict = createVerdictReader();
    let guard = createGuard(passages.length);
    let source: { provider?: string; model?: string } = {};
    const write = (text: string): void => {
      const released = guard.push(text);
      if (released) draft.write(released);
    };
    const parts = failover.stream({
      buildPrompt: (_provider, shrink) => buildPrompt({ ...conversation, passages, shrink }),
      startAt,
      signal,
      nothingShown: () => draft.text === '',
    });
    for await (const part of parts) {
      if (part.type === 'provider') {
        source = { provider: part.provider, model: part.model };
        verdict = createVerdictReader();
        guard = createGuard(passages.length);
        continue;
      }
      if (part.type === 'text-delta') {
        const text = verdict.push(part.text);
        // A person takes over, or nothing was found: the model's further words are not shown.
        const decided = verdict.line && withoutText(verdict.line, conversation);
        if (decided) return { ...decided, ...source };
        if (text) write(text);
        if (draft.text.length < answerLengthMax) continue;
      }
      const rest = verdict.end();
      const decided = verdict.line && withoutText(verdict.line, conversation);
      if (decided) return { ...decided, ...source };
      if (rest) write(rest);
      const last = guard.end();
      if (last) draft.write(last);
      // A verdict and nothing behind it: as empty as no reply.
      if (draft.text === '') throw new AiError('invalid', 'the model wrote a verdict and no text');
      const finishReason = part.type === 'end' ? part.finishReason : 'length';
      return {
        state: finishReason === 'stop' ? 'completed' : 'incomplete',
        verdict: verdict.line?.verdict,
        citations: citationsOf(guard.cited(), passages),
        finishReason,
        usage: part.type === 'end' ? part.usage : undefined,
        ...(finishReason !== 'stop' && { failure: finishReason }),
        ...source,
      };
    }
    throw new AiError('invalid', 'the stream ended without an end');
  }
}

function quote(passages: Passage[], draft: Draft): Outcome {
  const guard = createGuard(passages.length);
  for (const piece of extractiveAnswer(passages)) draft.write(guard.push(piece));
  draft.write(guard.end());
  return {
    state: 'completed',
    verdict: 'ANSWER',
    citations: citationsOf(guard.cited(), passages),
    finishReason: 'stop',
    provider: 'extractive',
  };
}

function withoutText(line: VerdictLine, conversation: Conversation): Outcome | undefined {
  if (line.verdict === 'NO_ANSWER') return noAnswer(conversation);
  if (line.verdict === 'HANDOFF') return handOff(line.reason ?? 'requested');
  return undefined;
}

/** The first time a person is offered, the second time in a row one is called. */
const noAnswer = ({ foundNothingBefore }: Conversation): Outcome =>
  foundNothingBefore
    ? { ...handOff('no-answer'), verdict: 'NO_ANSWER' }
    : {
        state: 'completed',
        verdict: 'NO_ANSWER',
        handoff: { mode: 'offer', reason: 'no-answer' },
        line: lines.noAnswer,
        finishReason: 'stop',
      };

const handOff = (reason: HandoffReason): Outcome => ({
  state: 'handed_off',
  verdict: 'HANDOFF',
  handoff: { mode: 'now', reason },
  line: lines.handedOff,
  finishReason: 'stop',
});

const sourceOf = (passage: Passage, at: number): AnswerSource => ({
  n: at + 1,
  article_id: passage.article_id,
  version: passage.version,
  title: passage.title,
  heading: passage.heading,
  score: passage.score,
});

const citationsOf = (numbers: number[], passages: readonly Passage[]): Citation[] =>
  numbers.flatMap((n) => {
    const passage = passages[n - 1];
    if (!passage) return [];
    const quote = firstSentence(passage.content);
    return [{ n, article_id: passage.article_id, title: passage.title, quote }];
  });

function firstSentence(content: string): string {
  const sentence = /^[^\n]*?[.!?](?=\s|$)/.exec(content)?.[0] ?? content.split('\n', 1)[0] ?? '';
  return sentence.slice(0, quoteLengthMax).toWellFormed();
}
