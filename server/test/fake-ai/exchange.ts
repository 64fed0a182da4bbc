import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Gate } from './gate.ts';

export type ChatBody = {
  model?: string;
  messages?: { role: string; content: string }[];
  [parameter: string]: unknown;
};

/** A request for a completion, as the fake saw it. */
export type RecordedRequest = {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** The client's port: the same for two requests on one connection. */
  port: number;
  body: ChatBody;
  /** The scenario that answered it, without its parameters. */
  scenario: string;
  /** Frames written so far. */
  frames: number;
  /** True when the client left before the reply was over. */
  aborted: boolean;
  /** True when the fake itself broke the connection. */
  cut: boolean;
  /** Resolves when the connection has no more to do with this request. */
  ended: Promise<void>;
};

type Chunk = { delta?: object; finishReason?: string | null; extra?: object; choices?: object[] };

/** Thrown into a scenario that goes on talking to a client who has left. */
export const clientLeft = Symbol('client left');

export const fakeOrganizationId = 'org_01fake0organization0id';

const usage = {
  queue_time: 0.01,
  prompt_tokens: 120,
  prompt_time: 0.02,
  completion_tokens: 30,
  completion_time: 0.06,
  total_tokens: 150,
  total_time: 0.08,
};

const groqHeaders = {
  'cache-control': 'no-cache',
  'x-request-id': 'req_01fake',
  'x-ratelimit-limit-requests': '14400',
  'x-ratelimit-limit-tokens': '8000',
  'x-ratelimit-remaining-requests': '14399',
  'x-ratelimit-remaining-tokens': '7850',
  'x-ratelimit-reset-requests': '1m26.4s',
  'x-ratelimit-reset-tokens': '547ms',
};

/** What a scenario has in its hands: the request, and Groq's wire in small pieces. */
export function createExchange({
  request,
  response,
  parameters,
  gate,
}: {
  request: RecordedRequest;
  response: ServerResponse;
  parameters: URLSearchParams;
  gate: Gate;
}) {
  const model = request.body.model ?? '';
  const created = Math.floor(Date.now() / 1_000);

  /** Headers and body of a reply that is no stream. */
  function reply(status: number, body: object | string, headers: Record<string, string> = {}) {
    const type = typeof body === 'string' ? 'text/html; charset=utf-8' : 'application/json';
    response.writeHead(status, { ...groqHeaders, 'content-type': type, ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  function error(
    status: number,
    error: { message: string; type: string; code?: string },
    headers?: Record<string, string>,
  ): void {
    reply(status, { error }, headers);
  }

  /** Sends the headers of a stream at once; further calls do nothing. */
  function open(): void {
    if (response.headersSent) return;
    response.writeHead(200, { ...groqHeaders, 'content-type': 'text/event-stream' });
    response.flushHeaders();
  }

  /** Writes bytes as they are, when a held gate lets them pass. */
  async function write(bytes: string | Uint8Array): Promise<void> {
    open();
    const pass = await gate.pass(request.ended);
    try {
      if (response.destroyed) throw clientLeft;
      request.frames += 1;
      if (!response.write(bytes)) await drained();
    } finally {
      pass();
    }
  }

  async function drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    response.once('drain', resolve);
    await Promise.race([promise, request.ended]);
  }

  function chunkOf({ delta = {}, finishReason = null, extra, choices }: Chunk): string {
    return JSON.stringify({
      id: 'chatcmpl-fake',
      object: 'chat.completion.chunk',
      created,
      model,
      system_fingerprint: 'fp_fake',
      choices: choices ?? [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...extra,
    });
  }

  const frameOf = (chunk: Chunk): string => `data: ${chunkOf(chunk)}\n\n`;
  const roleFrame = () => frameOf({ delta: { role: 'assistant', content: '' } });
  const textFrame = (content: string) => frameOf({ delta: { content } });
  const doneFrame = 'data: [DONE]\n\n';

  /** Groq's last chunk: the reason, and usage twice. */
  const finishFrame = (finishReason = 'stop') =>
    frameOf({ finishReason, extra: { usage, x_groq: { id: 'req_01fake', usage } } });

  /** What gpt-oss thinks, unless the request said that nobody wants to know. */
  function reasoningFrames(): string[] {
    if (request.body['include_reasoning'] === false) return [];
    const thoughts = ['The user wants', ' an answer.'];
    return thoughts.map((reasoning) => frameOf({ delta: { reasoning, channel: 'analysis' } }));
  }

  /** The beginning of an answer, word by word. */
  function beginFrames(text: string): string[] {
    const words = text.match(/\s*\S+|\s+$/g) ?? [];
    return [roleFrame(), ...reasoningFrames(), ...words.map(textFrame)];
  }

  /** A whole answer. */
  const answerFrames = (text: string): string[] => [...beginFrames(text), finishFrame(), doneFrame];

  async function writeAll(pieces: Iterable<string | Uint8Array>): Promise<void> {
    for (const piece of pieces) await write(piece);
  }

  /** Resolves after the time, or when the client has left. */
  async function sleep(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    await Promise.race([promise, request.ended]);
    clearTimeout(timer);
  }

  const number = (name: string, otherwise: number): number =>
    Number(parameters.get(name) ?? otherwise);

  return {
    request,
    model,
    usage,
    number,
    reply,
    error,
    open,
    write,
    writeAll,
    frameOf,
    roleFrame,
    textFrame,
    finishFrame,
    doneFrame,
    beginFrames,
    answerFrames,
    sleep,
    /** Lets what was written leave before the next write. */
    flush: () => new Promise<void>((resolve) => setImmediate(resolve)),
    /** Cuts the connection in the middle of whatever it was. */
    cut: () => {
      request.cut = true;
      response.destroy();
    },
    /** Says nothing more until the client leaves. */
    stall: () => request.ended,
  };
}

export type Exchange = ReturnType<typeof createExchange>;
