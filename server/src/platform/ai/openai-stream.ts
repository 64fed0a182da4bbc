import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { aiErrorFrom } from './openai-errors.ts';
import { AiError, type FinishReason, type StreamPart, type Usage } from './provider.ts';
import { createTextCleaner } from './text-cleaner.ts';

type WireUsage = { prompt_tokens?: unknown; completion_tokens?: unknown } | null;

/** What we read of a chunk. It comes from outside: every step may be missing or something else. */
type WireChunk = {
  error?: unknown;
  choices?: { delta?: { content?: unknown } | null; finish_reason?: unknown }[] | null;
  usage?: WireUsage;
  x_groq?: { error?: unknown; usage?: WireUsage } | null;
} | null;

const frameLengthMax = 1_048_576;

/**
 * Reads the bytes of one streamed chat completion. Text gathers until it is taken, so that frames
 * that came together go on together. Reasoning and tool calls are left out.
 */
export function createOpenAiStream(provider: string) {
  const decoder = new TextDecoder();
  const cleaner = createTextCleaner();
  const parser = createParser({
    maxBufferSize: frameLengthMax,
    onEvent: readFrame,
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') fail('a frame is too large');
    },
  });
  let text = '';
  let hasText = false;
  let isClosed = false;
  let sawDone = false;
  let usage: Usage | undefined;
  let finishReason: FinishReason | undefined;
  let failure: AiError | undefined;

  function feed(bytes: Uint8Array): void {
    parser.feed(decoder.decode(bytes, { stream: true }));
  }

  function readFrame({ event, data }: EventSourceMessage): void {
    if (sawDone || failure) return;
    if (data === '[DONE]') {
      sawDone = true;
      return;
    }
    const chunk = parseFrame(data);
    const error = event === 'error' ? (chunk ?? data) : (chunk?.error ?? chunk?.x_groq?.error);
    if (error) failure = aiErrorFrom(provider, chunk?.error ? chunk : error);
    else if (chunk) readChunk(chunk);
    // A frame that the end cut through is an early end, not nonsense.
    else if (!isClosed) fail('a frame is not JSON');
  }

  function readChunk(chunk: NonNullable<WireChunk>): void {
    const choice = chunk.choices?.[0];
    const content = choice?.delta?.content;
    if (typeof content === 'string' && content !== '') text += cleaner.clean(content);
    if (choice?.finish_reason) finishReason = finishReasonOf(choice.finish_reason);
    usage = usageOf(chunk.usage ?? chunk.x_groq?.usage) ?? usage;
  }

  function fail(message: string): void {
    failure = new AiError('invalid', `${provider}: ${message}`);
  }

  /** The text since the last call. White space waits for the first word: alone it is no answer. */
  function takeText(): string {
    hasText ||= text.trim() !== '';
    if (!hasText) return '';
    const taken = text;
    text = '';
    return taken;
  }

  /** No more bytes: reads what a missing blank line held back. */
  function close(): void {
    isClosed = true;
    if (!failure) parser.feed(`${decoder.decode()}\n\n`);
    text += cleaner.flush();
  }

  /** The last part, or the reason why there is none. */
  function end(): StreamPart {
    if (failure) throw failure;
    if (!finishReason) throw new AiError('unavailable', `${provider}: the stream ended early`);
    if (!hasText) throw new AiError('invalid', `${provider}: no text, finished by ${finishReason}`);
    return { type: 'end', usage, finishReason };
  }

  return {
    feed,
    takeText,
    close,
    end,
    /** True when nothing more will be read: `[DONE]` or a failure. */
    isOver: () => sawDone || failure !== undefined,
    /** True when the provider has said how it finished; only usage and `[DONE]` may follow. */
    isFinished: () => finishReason !== undefined,
  };
}

function parseFrame(data: string): WireChunk {
  try {
    return JSON.parse(data) as WireChunk;
  } catch {
    return null;
  }
}

function finishReasonOf(reason: unknown): FinishReason {
  return reason === 'stop' || reason === 'length' ? reason : 'other';
}

function usageOf(usage: WireUsage | undefined): Usage | undefined {
  const inputTokens = usage?.prompt_tokens;
  const outputTokens = usage?.completion_tokens;
  return typeof inputTokens === 'number' && typeof outputTokens === 'number'
    ? { inputTokens, outputTokens }
    : undefined;
}
