import type { Prompt } from './provider.ts';

export type OpenAiServer = {
  name: 'groq' | 'openai-compatible';
  model: string;
  baseUrl: string;
};

/** gpt-oss thinks before it writes, out of the same allowance. */
const reasoningTokensMin = 1_024;

/** The base URL with its path: `https://api.groq.com` → `https://api.groq.com/openai/v1`. */
export function apiUrl(server: OpenAiServer): URL {
  const url = new URL(server.baseUrl);
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path || (isGroq(server) ? '/openai/v1' : '/v1');
  return url;
}

export function endpoint(api: URL, path: string): URL {
  const url = new URL(api);
  url.pathname += path;
  return url;
}

/** The request body of a streamed completion, with what only some servers understand. */
export function completionBody(server: OpenAiServer, { messages, outputTokensMax }: Prompt) {
  const body = { model: server.model, messages, stream: true };
  if (!isGroq(server)) {
    const tokens = isOpenAi(server) ? 'max_completion_tokens' : 'max_tokens';
    return { ...body, [tokens]: outputTokensMax, stream_options: { include_usage: true } };
  }
  if (!server.model.startsWith('openai/gpt-oss')) {
    return { ...body, max_completion_tokens: outputTokensMax };
  }
  return {
    ...body,
    max_completion_tokens: Math.max(outputTokensMax, reasoningTokensMin),
    reasoning_effort: 'low',
    include_reasoning: false,
  };
}

const isGroq = ({ name, baseUrl }: OpenAiServer): boolean =>
  name === 'groq' || new URL(baseUrl).hostname === 'api.groq.com';

const isOpenAi = ({ baseUrl }: OpenAiServer): boolean =>
  new URL(baseUrl).hostname.endsWith('.openai.com');
