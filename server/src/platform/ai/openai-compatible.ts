import { alarmSentence } from './breaker.ts';
import { createDeadline, type AiTimeouts } from './deadline.ts';
import { aiErrorFrom, field } from './openai-errors.ts';
import { apiUrl, completionBody, endpoint, type OpenAiServer } from './openai-request.ts';
import { createOpenAiStream } from './openai-stream.ts';
import { AiError, type AiProvider, type Prompt, type StreamPart } from './provider.ts';

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** How long usage and `[DONE]` may come after the answer is finished. */
const afterFinishMs = 500;
const drainMs = 250;
const bodyLengthMax = 1_048_576;

/** The adapter to every server that speaks OpenAI's chat completions: Groq, OpenAI, vLLM, Ollama. */
export function createOpenAiCompatibleProvider({
  apiKey,
  timeouts,
  ...server
}: OpenAiServer & {
  /** Not needed by a model on one's own machine. */
  apiKey: string | undefined;
  timeouts: AiTimeouts;
}): AiProvider {
  const { name, model } = server;
  const api = apiUrl(server);
  const completionsUrl = endpoint(api, '/chat/completions');
  const modelsUrl = endpoint(api, '/models');
  const authorization: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey}` } : {};

  async function* stream(
    prompt: Prompt,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<StreamPart> {
    signal.throwIfAborted();
    const deadline = createDeadline({ provider: name, signal, timeouts });
    const answer = createOpenAiStream(name);
    let finished: Reader | undefined;
    try {
      const reader = await openStream(prompt, deadline.signal);
      for (;;) {
        const bytes = await read(reader, () => answer.isFinished() && !signal.aborted);
        if (!bytes) break;
        deadline.received();
        answer.feed(bytes);
        const text = answer.takeText();
        if (text !== '') yield { type: 'text-delta', text };
        if (answer.isOver()) break;
        deadline.wait(answer.isFinished() ? afterFinishMs : timeouts.betweenChunksMs);
      }
      answer.close();
      const rest = answer.takeText();
      if (rest !== '') yield { type: 'text-delta', text: rest };
      const end = answer.end();
      finished = reader;
      yield end;
    } catch (error) {
      throw failureOf(error, signal);
    } finally {
      deadline.end();
      if (finished) void drain(finished, deadline.disconnect);
      else deadline.disconnect();
    }
  }

  async function openStream(prompt: Prompt, signal: AbortSignal): Promise<Reader> {
    const response = await request(completionsUrl, {
      method: 'POST',
      headers: { ...authorization, 'content-type': 'application/json' },
      body: JSON.stringify(completionBody(server, prompt)),
      signal,
    });
    if (!response.body) throw new AiError('invalid', `${name}: the reply has no body`);
    if (!/json|html/.test(response.headers.get('content-type') ?? '')) {
      return response.body.getReader();
    }
    const body = await readBody(response);
    if (field(body, 'error')) throw aiErrorFrom(name, body, { headers: response.headers });
    throw new AiError('invalid', `${name}: the reply is no stream`);
  }

  /** Follows no redirect: the prompt and the key are for the configured host only. */
  async function request(url: URL, options: RequestInit): Promise<Response> {
    const response = await fetch(url, { ...options, redirect: 'manual' });
    if (response.ok) return response;
    const { status, headers } = response;
    throw aiErrorFrom(name, await readBody(response), { status, headers });
  }

  async function check({ signal }: { signal: AbortSignal }): Promise<string | undefined> {
    signal.throwIfAborted();
    const deadline = createDeadline({ provider: name, signal, timeouts });
    try {
      const response = await request(modelsUrl, {
        headers: authorization,
        signal: deadline.signal,
      });
      if (lists(await readBody(response), model)) return undefined;
      throw new AiError('refused', 'not listed', { providerCode: 'model_not_found' });
    } catch (error) {
      const failure = failureOf(error, signal);
      if (failure instanceof AiError) return alarmSentence({ name, model }, failure);
      throw failure;
    } finally {
      deadline.end();
      deadline.disconnect();
    }
  }

  /** The caller's own reason when the caller gave up, else an `AiError`. */
  function failureOf(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (error instanceof AiError) return error;
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const reason = code.includes('TIMEOUT') || code === 'ETIMEDOUT' ? 'timed-out' : 'unavailable';
    return new AiError(reason, `${name}: the connection failed ${code}`, { cause: error });
  }

  return { name, model, stream, check };
}

/** The next bytes, or undefined at the end; a break where the end may be counts as the end. */
async function read(reader: Reader, mayEnd: () => boolean): Promise<Uint8Array | undefined> {
  try {
    const { value } = await reader.read();
    return value;
  } catch (error) {
    if (mayEnd()) return undefined;
    throw error;
  }
}

/** Reading to the end hands the connection on to the next call; a server that lingers is cut off. */
async function drain(reader: Reader, disconnect: () => void): Promise<void> {
  const timer = setTimeout(disconnect, drainMs);
  try {
    while (!(await reader.read()).done);
  } catch {
    // The answer is complete; how its connection ends changes nothing.
  } finally {
    clearTimeout(timer);
  }
}

/** The body, parsed when it is JSON; what is beyond the limit is not read. */
async function readBody(response: Response): Promise<unknown> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > bodyLengthMax) break;
  }
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function lists(body: unknown, model: string): boolean {
  const models = field(body, 'data');
  const ids: unknown[] = Array.isArray(models) ? models.map((entry) => field(entry, 'id')) : [];
  // Ollama lists its models with a tag that a request may leave out.
  return ids.includes(model) || ids.includes(`${model}:latest`);
}
