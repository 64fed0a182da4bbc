import { fakeOrganizationId } from './exchange.ts';
import { fails, type Scenarios } from './scenario.ts';

const htmlPage = '<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>';
const invalidRequest = 'invalid_request_error';

/** Replies that are no stream: Groq's errors, and what stands between us and Groq. */
export const failureScenarios: Scenarios = {
  'invalid-api-key': {
    about: '401 invalid_api_key',
    expected: fails('refused', { status: 401, code: 'invalid_api_key' }),
    reply: ({ error }) =>
      error(401, { message: 'Invalid API Key', type: invalidRequest, code: 'invalid_api_key' }),
  },
  forbidden: {
    about: '403 without a code',
    expected: fails('refused', { status: 403 }),
    reply: ({ error }) => error(403, { message: 'Access denied.', type: 'permissions_error' }),
  },
  moderated: {
    about: '403 because of what the prompt says',
    expected: fails('invalid', { status: 403 }),
    reply: ({ error }) => error(403, { message: 'The input was flagged.', type: 'moderation' }),
  },
  'model-not-found': {
    about: '404 model_not_found',
    expected: fails('refused', { status: 404, code: 'model_not_found' }),
    reply: ({ error, model }) =>
      error(404, {
        message: `The model \`${model}\` does not exist or you do not have access to it.`,
        type: invalidRequest,
        code: 'model_not_found',
      }),
  },
  'model-decommissioned': {
    about: '400 model_decommissioned',
    expected: fails('refused', { status: 400, code: 'model_decommissioned' }),
    reply: ({ error, model }) =>
      error(400, {
        message: `The model \`${model}\` has been decommissioned and is no longer supported.`,
        type: invalidRequest,
        code: 'model_decommissioned',
      }),
  },
  'not-found': {
    about: '404 of a wrong path, without an error body',
    expected: fails('refused', { status: 404 }),
    reply: ({ reply }) => reply(404, '404 page not found'),
  },
  'context-length': {
    about: '400 context_length_exceeded',
    expected: fails('context-length', { status: 400, code: 'context_length_exceeded' }),
    reply: ({ error }) =>
      error(400, {
        message: 'Please reduce the length of the messages or completion.',
        type: invalidRequest,
        code: 'context_length_exceeded',
      }),
  },
  'context-length-words': {
    about: '400 as vLLM says it, with a number for a code',
    expected: fails('context-length', { status: 400 }),
    reply: ({ reply }) =>
      reply(400, {
        error: {
          message: "This model's maximum context length is 4096 tokens.",
          type: 'BadRequestError',
          code: 400,
        },
      }),
  },
  'too-large': {
    about: '413 rate_limit_exceeded: over the tokens per minute in one request',
    expected: fails('context-length', { status: 413, code: 'rate_limit_exceeded' }),
    reply: ({ error, model }) =>
      error(413, {
        message: `Request too large for model \`${model}\` in organization \`${fakeOrganizationId}\` on tokens per minute (TPM): Limit 8000, Requested 9000.`,
        type: 'tokens',
        code: 'rate_limit_exceeded',
      }),
  },
  'rate-limited': {
    about: '429 with retry-after `retry` seconds (2)',
    expected: fails('rate-limited', {
      status: 429,
      code: 'rate_limit_exceeded',
      retryAfterMs: 2_000,
    }),
    reply: ({ error, model, number }) => {
      const retry = String(number('retry', 2));
      const message = `Rate limit reached for model \`${model}\` in organization \`${fakeOrganizationId}\` on tokens per minute (TPM): Limit 8000, Used 7900, Requested 900. Please try again in ${retry}s.`;
      const headers = { 'retry-after': retry, 'x-ratelimit-remaining-tokens': '100' };
      error(429, { message, type: 'tokens', code: 'rate_limit_exceeded' }, headers);
    },
  },
  'rate-limited-by-reset': {
    about: '429 without retry-after; the reset of the used-up limit says when',
    expected: fails('rate-limited', { status: 429, retryAfterMs: 86_400 }),
    reply: ({ error }) =>
      error(
        429,
        { message: 'Too many requests.', type: 'requests', code: 'rate_limit_exceeded' },
        { 'x-ratelimit-remaining-requests': '0' },
      ),
  },
  'no-credit': {
    about: '429 insufficient_quota, which no waiting mends',
    expected: fails('refused', { status: 429, code: 'insufficient_quota' }),
    reply: ({ error }) =>
      error(429, {
        message: 'You exceeded your current quota.',
        type: 'insufficient_quota',
        code: 'insufficient_quota',
      }),
  },
  capacity: {
    about: '498 capacity_exceeded',
    expected: fails('unavailable', { status: 498, code: 'capacity_exceeded' }),
    reply: ({ error }) =>
      error(498, {
        message: 'Flex tier capacity exceeded.',
        type: 'internal_server_error',
        code: 'capacity_exceeded',
      }),
  },
  'bad-request': {
    about: '400 of another kind',
    expected: fails('invalid', { status: 400 }),
    reply: ({ error }) => error(400, { message: '`messages` is wrong', type: invalidRequest }),
  },
  'server-error': {
    about: '500 with an error body',
    expected: fails('unavailable', { status: 500 }),
    reply: ({ error }) =>
      error(500, { message: 'Internal Server Error', type: 'internal_server_error' }),
  },
  'bad-gateway': {
    about: '502 with an HTML page',
    expected: fails('unavailable', { status: 502 }),
    reply: ({ reply }) => reply(502, htmlPage),
  },
  'error-string': {
    about: '503 with the error as a string',
    expected: fails('unavailable', { status: 503 }),
    reply: ({ reply }) => reply(503, { error: 'overloaded' }),
  },
  'error-in-200': {
    about: '200 with an error body instead of a stream',
    expected: fails('rate-limited', { status: 429, code: 'rate_limit_exceeded' }),
    reply: ({ reply }) =>
      reply(200, {
        error: { message: 'Rate limit.', code: 'rate_limit_exceeded', status_code: 429 },
      }),
  },
  'error-string-in-200': {
    about: '200 with an error as a string',
    expected: fails('unavailable'),
    reply: ({ reply }) => reply(200, { error: 'overloaded' }),
  },
  'no-stream': {
    about: '200 with a completion that is no stream',
    expected: fails('invalid'),
    reply: ({ reply }) => reply(200, { choices: [{ message: { content: 'Hello.' } }] }),
  },
  'html-page': {
    about: '200 with an HTML page',
    expected: fails('invalid'),
    reply: ({ reply }) => reply(200, htmlPage),
  },
  redirect: {
    about: '307 to another place',
    expected: fails('refused', { status: 307 }),
    reply: ({ reply }) => reply(307, '', { location: '/elsewhere/chat/completions' }),
  },
};
