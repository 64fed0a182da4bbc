/** Where an attempt ended. `refused` is our own doing, and the same again tomorrow. */
export type FailureReason =
  'refused' | 'dns' | 'connect' | 'tls' | 'timeout' | 'reset' | 'protocol' | 'aborted';

/** The message is for an operator's log: hosts and error codes, nothing else of the request. */
export type Failure = { kind: 'failure'; reason: FailureReason; message: string };

export const failure = (reason: FailureReason, message: string): Failure => ({
  kind: 'failure',
  reason,
  message,
});

export const isFailure = (value: object): value is Failure =>
  'kind' in value && value.kind === 'failure';

/** Not the message of an error: it may repeat what a stranger sent, or what we did. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
