/** One message of a prompt, in the roles of the OpenAI-compatible wire. */
export type PromptMessage = { role: 'system' | 'user' | 'assistant'; content: string };

/** What a provider is asked: the messages in order, and the most tokens it may write. */
export type Prompt = { messages: PromptMessage[]; outputTokensMax: number };

/** Tokens as the provider counted them. */
export type Usage = { inputTokens: number; outputTokens: number };

export type FinishReason = 'stop' | 'length' | 'other';

/**
 * A piece of a stream. Text is clean: well-formed Unicode without U+0000, never empty.
 * `end` is the last part, exactly once, and only when the provider said how it finished.
 */
export type StreamPart =
  | { type: 'text-delta'; text: string }
  | { type: 'end'; usage: Usage | undefined; finishReason: FinishReason };

export type AiErrorReason =
  'rate-limited' | 'timed-out' | 'unavailable' | 'refused' | 'invalid' | 'context-length';

/**
 * A provider's failure, typed. `message` may hold the provider's own words (organisation ids
 * included): it is for the log and never reaches a customer.
 */
export class AiError extends Error {
  readonly reason: AiErrorReason;
  /** Milliseconds after which the provider says that a retry makes sense. */
  readonly retryAfterMs: number | undefined;
  /** HTTP status of the failure, when there was one. */
  readonly status: number | undefined;
  /** The provider's own error code, e.g. `model_decommissioned`. */
  readonly providerCode: string | undefined;

  constructor(
    reason: AiErrorReason,
    message: string,
    options: {
      cause?: unknown;
      retryAfterMs?: number;
      status?: number;
      providerCode?: string;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'AiError';
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
    this.status = options.status;
    this.providerCode = options.providerCode;
  }
}

/**
 * The port to a language model. `stream` throws `AiError` (from the iteration), or the signal's
 * reason when it is aborted; it frees its connection when the iteration ends in any way.
 */
export type AiProvider = {
  /** As in configuration and in the answer's record: `groq` or `openai-compatible`. */
  readonly name: string;
  readonly model: string;
  stream(prompt: Prompt, options: { signal: AbortSignal }): AsyncIterable<StreamPart>;
  /**
   * Asks the provider whether it knows the model. Resolves to undefined when it does, else to one
   * sentence that says what to change.
   */
  check(options: { signal: AbortSignal }): Promise<string | undefined>;
};
