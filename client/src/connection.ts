import { ApiError, ConnectionError } from './errors.ts';
import { createEventParser } from './event-stream.ts';
import type { Http } from './http.ts';

/** Until the server says `retry:`. */
export const reconnectMs = 1_000;
const reconnectMaxMs = 30_000;

/** Where a stream is read, and how far it has been. */
export type Connection = {
  http: Http;
  path: string;
  idleMs: number;
  signal: AbortSignal | undefined;
  lastEventId: string;
  retryMs: number;
};

/**
 * How long to wait before connecting again in milliseconds: at random within what `retry:` asked
 * for, so that the readers of a restarted server do not all come at once, and twice as much with
 * every failure. A `Retry-After` comes on top.
 */
export function reconnectDelayMs(
  error: unknown,
  failures: number,
  retryMs: number,
  random: number,
): number {
  const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
  const spread = random * Math.min(reconnectMaxMs, retryMs * 2 ** (failures - 1));
  return Math.min(reconnectMaxMs, asked) + spread;
}

/** What one connection brings, until it ends or breaks; `done` is the end that the server means. */
export async function* readConnection<Part extends { type: string }>(
  connection: Connection,
): AsyncGenerator<Part | 'done', void, undefined> {
  const { http, path, idleMs, signal, lastEventId } = connection;
  const leaving = new AbortController();
  try {
    const response = await http.open(path, {
      headers: lastEventId === '' ? {} : { 'last-event-id': lastEventId },
      signal: signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal,
    });
    if (response.status === 204 || !response.body) return yield 'done';
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
      throw notOurs(response);
    }
    const parser = createEventParser();
    for await (const text of readText(response.body, idleMs)) {
      const events = parser.push(text);
      connection.retryMs = parser.retryMs ?? connection.retryMs;
      for (const { data, id } of events) {
        if (data === '[DONE]') return yield 'done';
        const part = partIn<Part>(data);
        if (!part) throw notOurs(response);
        // Before the part is given away: who stops reading here has had it.
        connection.lastEventId = id || connection.lastEventId;
        yield part;
      }
    }
  } finally {
    leaving.abort();
  }
}

function partIn<Part extends { type: string }>(data: string): Part | undefined {
  try {
    const part = JSON.parse(data) as Part | null;
    return typeof part?.type === 'string' ? part : undefined;
  } catch {
    return undefined;
  }
}

async function* readText(
  body: ReadableStream<Uint8Array>,
  idleMs: number,
): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { value, done } = await withinMs(reader.read(), idleMs);
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}

/** A broken connection is silent for ever; the server says something at least every 15 s. */
async function withinMs<Result>(work: Promise<Result>, milliseconds: number): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    const seconds = Math.round(milliseconds / 1_000);
    const error = new ConnectionError(`The stream was silent for ${seconds} s.`);
    timer = setTimeout(() => reject(error), milliseconds);
  });
  try {
    return await Promise.race([work, silence]);
  } catch (error) {
    throw error instanceof ConnectionError
      ? error
      : new ConnectionError('The stream broke.', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const notOurs = ({ status, headers }: Response): ApiError =>
  new ApiError({
    message: 'The reply is no stream of ours: this is no Support Assistant server.',
    code: 'unexpected-reply',
    status,
    requestId: headers.get('x-request-id') ?? '',
  });
