import { STATUS_CODES } from 'node:http';

/** One problem with one part of the input. */
export type ProblemField = { pointer: string; code: string; message: string };

/** RFC 9457 problem document, with the members that every error of this API has. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  request_id: string;
  retryable: boolean;
  errors?: ProblemField[];
};

export type Failure = {
  status: number;
  code: string;
  detail: string;
  errors?: ProblemField[];
};

/** A failure as the caller sees it. 429 and 503 are worth the same request again, others are not. */
export const problemOf = (failure: Failure, requestId: string): Problem => ({
  type: `urn:support-assistant:error:${failure.code}`,
  title: STATUS_CODES[failure.status] ?? 'Error',
  status: failure.status,
  detail: failure.detail,
  code: failure.code,
  request_id: requestId,
  retryable:
    failure.status === 429 || failure.status === 503 || failure.code.endsWith('-in-flight'),
  ...(failure.errors && { errors: failure.errors }),
});
