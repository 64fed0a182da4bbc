/**
 * The product's error codes and the HTTP status of each. Codes are stable: clients switch on them.
 * docs/errors.md explains every one; a test keeps the two lists equal.
 */
const statusByCode = {
  'invalid-json': 400,
  'invalid-request': 400,
  'invalid-last-event-id': 400,
  unauthenticated: 401,
  'invalid-credentials': 401,
  'invalid-refresh-token': 401,
  forbidden: 403,
  'insufficient-scope': 403,
  'cross-site-request': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
  'email-taken': 409,
  'idempotency-key-in-flight': 409,
  'ticket-closed': 409,
  'invalid-state': 409,
  'answer-live': 409,
  'answer-completed': 409,
  'assistant-paused': 409,
  'assistant-off': 409,
  'last-admin': 409,
  'too-many-webhooks': 409,
  'mail-off': 409,
  'version-mismatch': 412,
  'body-too-large': 413,
  'unsupported-media-type': 415,
  'validation-failed': 422,
  'idempotency-key-reused': 422,
  'invalid-cursor': 422,
  'too-many-streams': 429,
  'rate-limited': 429,
  'too-many-attempts': 429,
  'headers-too-large': 431,
  'internal-error': 500,
  overloaded: 503,
  'shutting-down': 503,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof statusByCode;

export const errorStatus: Readonly<Record<ErrorCode, number>> = statusByCode;

/** One problem with one part of the input; `pointer` is a JSON pointer into the body or `?name` for a query parameter. */
export type FieldError = { pointer: string; code: string; message: string };

/** Extra members of the problem document, and headers that belong to the failure. */
export type ErrorDetails = {
  errors?: FieldError[];
  headers?: Record<string, string>;
};

/**
 * The one error that services throw for a failure the caller can understand.
 * `message` is safe to show to the caller; `cause` goes to the log and never leaves the process.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: ErrorDetails } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = options.details ?? {};
  }

  get status(): number {
    return errorStatus[this.code];
  }
}

/** 404 for "not there", "not yours" and "not an id" alike, so that nothing can be probed. */
export const notFound = (): AppError => new AppError('not-found', 'There is nothing here for you.');

/** 409 for a repeated request whose secret was sealed with a key that is gone. */
export const secretGone = (): AppError =>
  new AppError(
    'invalid-state',
    'It is made, but its secret cannot be shown again: make a new one.',
  );

/** 422 for a single field that the schema cannot judge alone. */
export const invalidField = (pointer: string, code: string, message: string): AppError =>
  new AppError('validation-failed', message, { details: { errors: [{ pointer, code, message }] } });
