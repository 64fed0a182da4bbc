import { randomBytes } from 'node:crypto';
import type { Failover } from '../../platform/ai/failover.ts';
import { AiError } from '../../platform/ai/provider.ts';
import { inSpan } from '../../platform/telemetry/spans.ts';
import type { AnswerSource, AnswerTrace } from '../../tables.ts';
import type { KnowledgeService, Retrieved } from '../knowledge/knowledge.service.ts';
import type { Budgets } from './answers.budgets.ts';
import { checkSupport } from './answers.check.ts';
import { citationsOf, citedIn, sourceOf } from './answers.citations.ts';
import type { Conversation } from './answers.conversation.ts';
import { extractiveAnswer } from './answers.extractive.ts';
import { generate, type Draft, type Generated } from './answers.generate.ts';
import { canned, handOff, noAnswer, withOffer, type Outcome } from './answers.outcome.ts';
import { searchTexts } from './answers.query.ts';
import { createRedactor, normalise, type Redactor } from './answers.redaction.ts';
import { matchTurnRules } from './answers.turn-rules.ts';

export type AnswerDraft = Draft & { saveSources(sources: AnswerSource[]): Promise<void> };

const passagesMax = 6;
/** Of the prompt, at about four characters a token. */
const passageTokensMax = 1_800;
/**
 * A model reads all the passages, and can itself say that they do not answer: it is asked on weaker
 * evidence than the first passage is quoted on, down to this share of the threshold.
 */
const modelThresholdShare = 0.2;

/** One answer on its way. `trace` is filled in as it goes. */
type Attempt = {
  conversation: Conversation;
  draft: AnswerDraft;
  redactor: Redactor;
  trace: AnswerTrace;
  signal: AbortSignal;
  startAt: number;
};

export type Pipeline = ReturnType<typeof createPipeline>;

/** The way from a question to an answer: budget, rules, retrieval, gate, generation, check. */
export function createPipeline(dependencies: {
  knowledge: KnowledgeService;
  failover: Failover;
  /** How many models the failover chain has. */
  modelCount: number;
  budgets: Budgets;
  /** Whether the keyless mode stands at the end of the chain. */
  extractive: boolean;
  /** The kill switch: false gives what is still queued to people. */
  enabled: boolean;
}) {
  const { knowledge, failover, modelCount, budgets, extractive, enabled } = dependencies;
  const canary = `reference-${randomBytes(6).toString('hex')}`;

  return async function produce(
    conversation: Conversation,
    draft: AnswerDraft,
    options: { signal: AbortSignal; startAt: number },
  ): Promise<Outcome> {
    if (!enabled) return { state: 'failed', failure: 'disabled' };
    const redactor = createRedactor();
    const trace: AnswerTrace = {
      decision: '',
      searched: [],
      found: [],
      redactions: {},
      evidence: null,
      support: null,
    };
    const outcome = await decide({ conversation, draft, redactor, trace, ...options });
    return { ...outcome, trace: { ...trace, redactions: redactor.counts() } };
  };

  async function decide(attempt: Attempt): Promise<Outcome> {
    const { conversation, trace } = attempt;
    const { lines } = conversation.settings;
    const exceeded = await budgets.exceeded(conversation.customer.id, conversation.answerId);
    if (exceeded) {
      trace.decision = `budget: ${exceeded}`;
      return handOff('budget', lines);
    }
    const rule = matchTurnRules(conversation);
    const outcome =
      rule?.outcome === 'handoff'
        ? handOff(rule.reason, lines)
        : rule?.outcome === 'canned'
          ? canned(lines[rule.reply])
          : await answer(attempt);
    if (!rule) return outcome;
    trace.decision += `${trace.decision && ', '}rule: ${rule.ruleId}`;
    return rule.outcome === 'offer' ? withOffer(outcome, rule.reason, lines) : outcome;
  }

  /** From the articles, or not at all. */
  async function answer(attempt: Attempt): Promise<Outcome> {
    const { conversation, draft, trace } = attempt;
    const { answer_threshold: threshold } = conversation.settings;
    const retrieved = await retrieve(attempt);
    const { passages, evidence } = retrieved;
    const floor = modelCount > 0 ? threshold * modelThresholdShare : threshold;
    if (passages.length === 0 || evidence.probability < floor) {
      await draft.saveSources([]);
      return nothingFound(attempt, 'gate');
    }
    await draft.saveSources(passages.map(sourceOf));
    if (modelCount === 0) return quote(attempt, retrieved);
    try {
      const written = await generate(failover, { ...attempt, passages, canary }, draft, attempt);
      return checked(attempt, retrieved, written);
    } catch (error) {
      if (!(error instanceof AiError)) throw error;
      trace.decision = `model: ${error.reason}`;
      const isQuotable = extractive && evidence.probability >= threshold;
      const outcome = isQuotable ? quote(attempt, retrieved) : { state: 'failed' as const };
      return { ...outcome, failure: error.reason };
    }
  }

  async function retrieve({ conversation, redactor, trace }: Attempt): Promise<Retrieved> {
    const textsOf = (read: (text: string) => string): string[] =>
      searchTexts({
        title: read(conversation.title),
        question: conversation.question.map((turn) => read(turn.content)),
        firstMessage: read(conversation.firstMessage),
      });
    const { language, answer_threshold: threshold } = conversation.settings;
    const retrieved = await inSpan('search the articles', {}, () =>
      knowledge.retrieve(undefined, {
        texts: textsOf(normalise),
        limit: passagesMax,
        tokenBudget: passageTokensMax,
        language,
      }),
    );
    const { probability, features, knowledgeVersion } = retrieved.evidence;
    // Redacted before it is shortened: half an address is one that nothing recognises.
    trace.searched = textsOf((text) => redactor.redact(normalise(text)));
    trace.found = retrieved.passages.map(({ article_id, version, heading, score }) => ({
      article_id,
      version,
      heading,
      score,
    }));
    trace.evidence = { probability, threshold, features, knowledge_version: knowledgeVersion };
    return retrieved;
  }

  function nothingFound({ conversation, trace }: Attempt, decidedBy: string): Outcome {
    trace.decision = decidedBy;
    const outcome = noAnswer(conversation.foundNothingBefore, conversation.settings.lines);
    return { ...outcome, gap: trace.searched[0] ?? '' };
  }

  /** What the model's words come to. */
  function checked(attempt: Attempt, { passages }: Retrieved, result: Generated): Outcome {
    const { conversation, draft, trace } = attempt;
    const { lines } = conversation.settings;
    const { provider, model, usage, cited, finishReason, verdict, violation, failure } = result;
    const cost = budgets.costOf(result, usage);
    const spent = { provider, model, usage, cost };
    trace.decision = `model: ${verdict.verdict}`;
    if (violation) {
      trace.decision = `guard: ${violation.rule}, ${violation.detail}`;
      return { ...handOff('guard', lines), ...spent, citations: citationsOf(cited, passages) };
    }
    if (verdict.verdict === 'NO_ANSWER') {
      return { ...nothingFound(attempt, 'model: NO_ANSWER'), ...spent };
    }
    if (verdict.verdict === 'HANDOFF') {
      return { ...handOff(verdict.reason ?? 'requested', lines), ...spent };
    }
    const outcome: Outcome = {
      state: finishReason === 'stop' && !failure ? 'completed' : 'incomplete',
      verdict: verdict.verdict,
      citations: citationsOf(cited, passages),
      finishReason,
      failure: failure ?? (finishReason === 'stop' ? undefined : finishReason),
      ...spent,
    };
    if (failure) trace.decision = `model: ${failure}`;
    const support = checkSupport(draft.text, passages);
    trace.support = support.weakest;
    if (verdict.verdict !== 'ANSWER' || !support.needsReview) return outcome;
    return withOffer({ ...outcome, needsReview: true }, 'guard', lines);
  }

  /** The answer without a model: word for word from the best passage. */
  function quote({ draft, trace }: Attempt, { passages }: Retrieved): Outcome {
    for (const piece of extractiveAnswer(passages)) draft.write(piece);
    trace.decision += `${trace.decision && ', '}quoted`;
    return {
      state: 'completed',
      verdict: 'ANSWER',
      citations: citationsOf(citedIn(draft.text), passages),
      finishReason: 'stop',
      provider: 'extractive',
    };
  }
}
