import { AiError, type AiErrorReason } from './provider.ts';

type Failure = { status: number | undefined; code: string | undefined; message: string };

/** Codes that say the same whatever status they come with; inside a stream there may be none. */
const reasonByCode: Readonly<Record<string, AiErrorReason>> = {
  context_length_exceeded: 'context-length',
  insufficient_quota: 'refused',
  invalid_api_key: 'refused',
  model_decommissioned: 'refused',
  model_not_found: 'refused',
};

/** vLLM, llama.cpp and LM Studio say only in words that the prompt is too long. */
const contextLengthPattern = /context (length|size|window)|maximum context/i;

/** A moderated prompt is not a provider in trouble: one customer must not open its breaker. */
const moderationPattern = /moderation|flagged/i;

const messageLengthMax = 500;
const retryAfterMsMax = 86_400_000;

/**
 * The typed failure for an error body, from an HTTP reply or from inside a stream. Accepts
 * `{"error":{…}}`, `{"error":"text"}` and plain text.
 */
export function aiErrorFrom(
  provider: string,
  body: unknown,
  { status, headers }: { status?: number; headers?: Headers } = {},
): AiError {
  const failure = readFailure(body, status);
  const words = failure.message.slice(0, messageLengthMax);
  return new AiError(
    reasonOf(failure),
    `${provider}: ${[failure.status, failure.code, words].filter(Boolean).join(' ')}`,
    {
      status: failure.status,
      providerCode: failure.code,
      retryAfterMs: headers && retryAfterMs(headers),
    },
  );
}

function readFailure(body: unknown, httpStatus: number | undefined): Failure {
  const error = field(body, 'error') ?? body;
  const code = field(error, 'code');
  const message = typeof error === 'string' ? error : field(error, 'message');
  return {
    // An error under a 200 carries its status inside: Groq as status_code, others as code.
    status: httpStatus ?? numberOf(field(error, 'status_code')) ?? numberOf(code),
    code: typeof code === 'string' ? code : undefined,
    message: typeof message === 'string' ? message : '',
  };
}

function reasonOf({ status, code, message }: Failure): AiErrorReason {
  const known = code === undefined ? undefined : reasonByCode[code];
  if (known) return known;
  // Groq's 413 is a prompt over the tokens-per-minute limit: only a smaller one can pass.
  if (status === 413) return 'context-length';
  if (status === 429 || code === 'rate_limit_exceeded') return 'rate-limited';
  if (status === undefined || status >= 498) return 'unavailable';
  if (status === 408) return 'timed-out';
  if (status === 400 && contextLengthPattern.test(message)) return 'context-length';
  if (status === 403 && moderationPattern.test(message)) return 'invalid';
  return [400, 409, 422].includes(status) ? 'invalid' : 'refused';
}

/** `retry-after` in seconds, else the reset of the limit that is used up. */
function retryAfterMs(headers: Headers): number | undefined {
  const seconds = Number.parseFloat(headers.get('retry-after') ?? '');
  const wait = seconds >= 0 ? seconds * 1_000 : resetMs(headers);
  return wait === undefined ? undefined : Math.min(Math.ceil(wait), retryAfterMsMax);
}

function resetMs(headers: Headers): number | undefined {
  const resets = ['requests', 'tokens']
    .filter((kind) => headers.get(`x-ratelimit-remaining-${kind}`) === '0')
    .map((kind) => goDurationMs(headers.get(`x-ratelimit-reset-${kind}`) ?? ''))
    .filter((reset) => reset !== undefined);
  return resets.length === 0 ? undefined : Math.max(...resets);
}

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** Reads Go's way to write a duration, such as `1m26.4s` or `547ms`. */
function goDurationMs(duration: string): number | undefined {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(duration)) return undefined;
  const parts = duration.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g);
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? 0), 0);
}

/** One member of a value of unknown shape. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;
