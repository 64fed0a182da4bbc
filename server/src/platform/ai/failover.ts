import type { Clock } from '../clock.ts';
import { fail, startSpan } from '../telemetry/spans.ts';
import { alarmSentence, type Breaker } from './breaker.ts';
import {
  AiError,
  type AiErrorReason,
  type AiProvider,
  type Prompt,
  type StreamPart,
} from './provider.ts';

/** `provider` comes before the parts of every attempt: what came before it does not count. */
export type FailoverPart = { type: 'provider'; provider: string; model: string } | StreamPart;

/** One attempt that has ended. A caller who leaves is no outcome, and is not reported. */
export type Attempt = {
  provider: string;
  model: string;
  outcome: 'completed' | AiErrorReason;
  durationMs: number;
};

export type FailoverRequest = {
  /** `shrink` is 0 first, and 1 when the provider finds that prompt too long. */
  buildPrompt(provider: AiProvider, shrink: number): Prompt;
  /** Index of the first provider to ask. */
  startAt?: number;
  signal: AbortSignal;
  /**
   * True while the text so far was not shown to anyone, so that another attempt may replace it.
   * Without it any text counts as shown.
   */
  nothingShown?(): boolean;
};

/** Until when a provider asked us to stay away; shared by all instances. */
export type ProviderPauses = {
  find(provider: string, model: string): Promise<Date | undefined>;
  save(provider: string, model: string, until: Date): Promise<void>;
};

type Logger = { warn(details: Record<string, unknown>, message: string): void };

/** What one provider has been tried with, in one answer. */
type Tries = { shrink: number; retries: number; rateLimits: number; waitUntil: number };

const waitBudgetMsDefault = 8_000;
const rateLimitedPauseMs = 2_000;
const rateLimitsMax = 3;
const retryPauseMs = { least: 200, spread: 400 };

/**
 * Asks the providers in turn until one completes. Waiting (for a rate limit, before a retry) takes
 * no more than `waitBudgetMs` of one answer in all. Once text was shown a failure is final.
 */
export function createFailover({
  providers,
  breaker,
  pauses,
  clock,
  waitBudgetMs = waitBudgetMsDefault,
  onAttempt,
  logger,
}: {
  providers: AiProvider[];
  breaker: Breaker;
  pauses: ProviderPauses;
  clock: Clock;
  waitBudgetMs?: number;
  onAttempt?(attempt: Attempt): void;
  logger: Logger;
}) {
  const now = () => clock.now().getTime();

  /** Throws the last failure when no provider is left, and the signal's reason when it is aborted. */
  async function* stream(request: FailoverRequest): AsyncGenerator<FailoverPart> {
    const { buildPrompt, startAt = 0, signal } = request;
    const budget = { leftMs: waitBudgetMs };
    let failure: AiError | undefined;

    for (const provider of providers.slice(startAt)) {
      const tries: Tries = { shrink: 0, retries: 0, rateLimits: 0, waitUntil: 0 };
      let again = true;
      while (again) {
        const obstacle = await admit(provider, tries, budget, signal);
        if (obstacle) {
          failure ??= obstacle;
          break;
        }
        yield { type: 'provider', provider: provider.name, model: provider.model };
        const startedAt = now();
        const span = startSpan('ask a model', { provider: provider.name, model: provider.model });
        let hasText = false;
        try {
          const prompt = buildPrompt(provider, tries.shrink);
          for await (const part of provider.stream(prompt, { signal })) {
            if (part.type === 'text-delta') hasText = true;
            else complete(provider, startedAt);
            yield part;
          }
          return;
        } catch (error) {
          fail(span, error);
          if (!(error instanceof AiError)) throw error;
          failure = error;
          report(provider, error, startedAt);
          again = await prepareRetry(provider, error, tries);
          if (hasText && !request.nothingShown?.()) throw error;
        } finally {
          span.end();
        }
      }
    }
    throw failure ?? new AiError('unavailable', 'no provider is left in the chain');
  }

  /** Waits until the provider may be asked; returns why it may not. */
  async function admit(
    provider: AiProvider,
    tries: Tries,
    budget: { leftMs: number },
    signal: AbortSignal,
  ): Promise<AiError | undefined> {
    signal.throwIfAborted();
    const pausedUntil = await pauses.find(provider.name, provider.model);
    const waitMs = Math.max(pausedUntil?.getTime() ?? 0, tries.waitUntil) - now();
    if (waitMs > budget.leftMs) {
      return new AiError('rate-limited', `${provider.name}: paused`, { retryAfterMs: waitMs });
    }
    if (!breaker.allows(provider)) {
      return new AiError('unavailable', `${provider.name}: left alone after failures`);
    }
    if (waitMs > 0) {
      budget.leftMs -= waitMs;
      await sleep(waitMs, signal);
    }
    return undefined;
  }

  function complete(provider: AiProvider, startedAt: number): void {
    breaker.recordSuccess(provider);
    onAttempt?.(attemptOf(provider, 'completed', now() - startedAt));
  }

  function report(provider: AiProvider, error: AiError, startedAt: number): void {
    tellBreaker(provider, error);
    const attempt = attemptOf(provider, error.reason, now() - startedAt);
    // Not its message: a provider may repeat what it was sent.
    const { status, providerCode, cause } = error;
    logger.warn({ ...attempt, status, providerCode, cause }, 'An AI provider failed.');
    onAttempt?.(attempt);
  }

  function tellBreaker(provider: AiProvider, error: AiError): void {
    if (error.reason === 'refused') breaker.openNow(provider, alarmSentence(provider, error));
    else if (isBreakdown(error)) breaker.recordFailure(provider);
    // Too long or too often is the reply of a provider that is well.
    else if (isOurExcess(error)) breaker.recordSuccess(provider);
  }

  /** True when the same provider is worth another try, by what failed and what was tried. */
  async function prepareRetry(provider: AiProvider, error: AiError, tries: Tries) {
    const { reason } = error;
    if (reason === 'rate-limited') {
      const pauseMs = error.retryAfterMs ?? rateLimitedPauseMs;
      tries.waitUntil = now() + pauseMs;
      await pauses.save(provider.name, provider.model, new Date(tries.waitUntil));
      tries.rateLimits += 1;
      return tries.rateLimits < rateLimitsMax;
    }
    if (reason === 'context-length') {
      tries.shrink += 1;
      return tries.shrink === 1;
    }
    if (!isBreakdown(error)) return false;
    const jitterMs = retryPauseMs.least + Math.random() * retryPauseMs.spread;
    tries.waitUntil = now() + Math.max(jitterMs, error.retryAfterMs ?? 0);
    tries.retries += 1;
    return tries.retries === 1;
  }

  return { stream };
}

export type Failover = ReturnType<typeof createFailover>;

/** 5xx, a timeout, an early end; not a provider at capacity (498), which a retry would only load. */
const isBreakdown = ({ reason, status }: AiError): boolean =>
  reason === 'timed-out' || (reason === 'unavailable' && status !== 498);

const isOurExcess = ({ reason }: AiError): boolean =>
  reason === 'rate-limited' || reason === 'context-length';

const attemptOf = (
  { name, model }: AiProvider,
  outcome: Attempt['outcome'],
  durationMs: number,
): Attempt => ({ provider: name, model, outcome, durationMs });

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      resolve();
    };
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(wake, milliseconds);
    signal.addEventListener('abort', abort, { once: true });
  });
}
