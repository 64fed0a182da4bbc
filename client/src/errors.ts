/** The stable codes of the API's errors; the server's docs/errors.md explains each. */
export type ErrorCode =
  | 'invalid-json'
  | 'invalid-request'
  | 'invalid-last-event-id'
  | 'unauthenticated'
  | 'invalid-credentials'
  | 'invalid-refresh-token'
  | 'forbidden'
  | 'insufficient-scope'
  | 'cross-site-request'
  | 'not-found'
  | 'method-not-allowed'
  | 'email-taken'
  | 'idempotency-key-in-flight'
  | 'ticket-closed'
  | 'invalid-state'
  | 'answer-live'
  | 'answer-completed'
  | 'assistant-paused'
  | 'assistant-off'
  | 'last-admin'
  | 'mail-off'
  | 'version-mismatch'
  | 'body-too-large'
  | 'unsupported-media-type'
  | 'validation-failed'
  | 'idempotency-key-reused'
  | 'invalid-cursor'
  | 'too-many-streams'
  | 'rate-limited'
  | 'too-many-attempts'
  | 'internal-error'
  | 'overloaded'
  | 'shutting-down'
  | 'unavailable'
  /** Not the API's own: something in between replied, or something that is no Support Assistant. */
  | 'unexpected-reply';

/** One problem with one part of the input; `pointer` is a JSON pointer into the body or `?name`. */
export type FieldError = { pointer: string; code: string; message: string };

/** A reply of the server that refuses the request. `message` is fit to be shown. */
export class ApiError extends Error {
  /** Stable, to switch on. Newer servers may send codes that this client does not know. */
  readonly code: ErrorCode | (string & {});
  /** HTTP status. */
  readonly status: number;
  /** Leads to the request in the server's log; empty when the reply did not name one. */
  readonly requestId: string;
  /** What is wrong with which field; empty unless `code` is `validation-failed`. */
  readonly errors: readonly FieldError[];
  /** Milliseconds after which the same request may succeed, when the server says so. */
  readonly retryAfterMs: number | undefined;

  constructor(failure: {
    message: string;
    code: string;
    status: number;
    requestId: string;
    errors?: readonly FieldError[];
    retryAfterMs?: number | undefined;
  }) {
    super(failure.message);
    this.name = 'ApiError';
    this.code = failure.code;
    this.status = failure.status;
    this.requestId = failure.requestId;
    this.errors = failure.errors ?? [];
    this.retryAfterMs = failure.retryAfterMs;
  }
}

/** No reply: the server was not reached, the connection broke, or it took too long. See `cause`. */
export class ConnectionError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ConnectionError';
  }
}

/** The error that a refusing response stands for; reads its body. */
export async function apiErrorOf(response: Response): Promise<ApiError> {
  const { status, headers } = response;
  const problem = problemIn(await response.text().catch(() => ''));
  return new ApiError({
    message: problem?.detail ?? `The server replied ${status}, and not as Support Assistant does.`,
    code: problem?.code ?? 'unexpected-reply',
    status,
    requestId: problem?.request_id ?? headers.get('x-request-id') ?? '',
    errors: problem?.errors ?? [],
    retryAfterMs: retryAfterMsOf(headers.get('retry-after'), Date.now()),
  });
}

type Problem = { code: string; detail: string; request_id: string; errors?: FieldError[] };

function problemIn(text: string): Problem | undefined {
  try {
    const body = JSON.parse(text) as Partial<Problem> | null;
    const isProblem = typeof body?.code === 'string' && typeof body.detail === 'string';
    return isProblem ? (body as Problem) : undefined;
  } catch {
    return undefined;
  }
}

/** `Retry-After` in milliseconds from `nowMs`: whole seconds, or a date. */
export function retryAfterMsOf(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
