import { readConnection, reconnectDelayMs, reconnectMs, type Connection } from './connection.ts';
import { ConnectionError } from './errors.ts';
import { mayRetry, pause, type Http } from './http.ts';
import type { AnswerMetadata, AnswerPart, AnswerSource, AnswerState, Verdict } from './types.ts';

export type StreamOptions = {
  /** Leaves the stream; the answer itself goes on. The iteration throws the signal's reason. */
  signal?: AbortSignal;
  /** The id of the last frame that an earlier reader has seen, to go on behind it. */
  lastEventId?: string;
};

/** The parts of one answer, to be read once. */
export type AnswerStream = AsyncIterable<AnswerPart> & {
  /** The id of the last frame that came through, to go on behind it later; '' before the first. */
  readonly lastEventId: string;
};

/** Failed attempts in a row, without anything new, after which a stream gives up. */
const failuresMax = 8;
/**
 * The parts of an answer, each once and in order, over as many connections as it takes. A connection
 * that breaks, or is silent for `idleMs`, is made again behind the last frame that came through.
 * A `text-start` always means that the text begins anew.
 *
 * Ends behind `finish`, `error` or `abort`, or at once when there is nothing to stream. Throws
 * `ApiError` when the server refuses, `ConnectionError` when it cannot be reached for long.
 */
export function streamAnswer(
  http: Http,
  path: string,
  idleMs: number,
  { signal, lastEventId = '' }: StreamOptions = {},
): AnswerStream {
  const connection = { http, path, idleMs, signal, lastEventId, retryMs: reconnectMs };
  const parts = readAnswer(connection);
  return {
    [Symbol.asyncIterator]: () => parts,
    get lastEventId() {
      return connection.lastEventId;
    },
  };
}

async function* readAnswer(connection: Connection): AsyncGenerator<AnswerPart, void, undefined> {
  const { signal } = connection;
  const isNews = createNewsFilter(connection.lastEventId !== '');
  let isOver = false;
  for (let failures = 0; ;) {
    try {
      for await (const part of readConnection<AnswerPart>(connection)) {
        if (part === 'done') return;
        if (!isNews(part)) continue;
        failures = 0;
        isOver = isLast(part);
        yield part;
      }
      if (isOver) return;
      throw new ConnectionError('The stream of the answer ended before the answer did.');
    } catch (error) {
      signal?.throwIfAborted();
      if (isOver) return;
      failures += 1;
      if (failures >= failuresMax || !mayRetry(error, true)) throw finalError(error, failures);
      await pause(reconnectDelayMs(error, failures, connection.retryMs, Math.random()), signal);
    }
  }
}

/**
 * Tells what is new from what a reconnect repeats. Text is repeated only behind a `text-start`,
 * which makes it new; every other part says the whole of its kind, so an equal one is a repetition.
 */
function createNewsFilter(isTextOpen: boolean): (part: AnswerPart) => boolean {
  const known = new Map<string, string>();
  return (part) => {
    if (part.type === 'text-delta') return true;
    if (part.type === 'text-start') return (isTextOpen = true);
    if (part.type === 'text-end') {
      const isNews = isTextOpen;
      isTextOpen = false;
      return isNews;
    }
    const key = 'sourceId' in part ? part.sourceId : 'id' in part ? part.id : '';
    const name = `${part.type} ${key}`;
    const content = JSON.stringify(part);
    const isNews = known.get(name) !== content;
    // Another answer: nothing that was said of the last one holds.
    if (part.type === 'start' && isNews) known.clear();
    known.set(name, content);
    return isNews;
  };
}

const isLast = ({ type }: AnswerPart): boolean =>
  type === 'finish' || type === 'error' || type === 'abort';

function finalError(error: unknown, failures: number): unknown {
  if (!(error instanceof ConnectionError) || failures < 2) return error;
  return new ConnectionError(
    `The stream of the answer broke ${failures} times without anything new. ${error.message}`,
    { cause: error },
  );
}

/** A streamed answer as a whole. */
export type CollectedAnswer = {
  answerId: string | null;
  text: string;
  citations: { n: number; articleId: string; quote: string }[];
  /** What the answer was given to read; `citations` says which of it the text cites. */
  sources: AnswerSource[];
  handoff: { mode: 'now' | 'offer'; reason: string | null } | null;
  /** How it ended; null when there was no answer, because a person will reply. */
  state: AnswerState | null;
  verdict: Verdict | null;
  /** What to tell the reader of an answer that broke off. */
  errorText: string | null;
};

const nothing: CollectedAnswer = {
  answerId: null,
  text: '',
  citations: [],
  sources: [],
  handoff: null,
  state: null,
  verdict: null,
  errorText: null,
};

/** Reads a stream to its end. Throws what the stream throws. */
export async function collectAnswer(stream: AsyncIterable<AnswerPart>): Promise<CollectedAnswer> {
  let answer = nothing;
  for await (const part of stream) answer = { ...answer, ...changeOf(part, answer) };
  return answer;
}

function changeOf(part: AnswerPart, answer: CollectedAnswer): Partial<CollectedAnswer> {
  switch (part.type) {
    case 'start': {
      const { answerId } = part.messageMetadata;
      return answerId === answer.answerId ? {} : { ...nothing, answerId };
    }
    case 'data-sources':
      return { sources: part.data.items };
    case 'text-start':
      return { text: '' };
    case 'text-delta':
      return { text: answer.text + part.delta };
    case 'data-citation':
      return { citations: [...answer.citations.filter(({ n }) => n !== part.data.n), part.data] };
    case 'data-handoff':
      return { handoff: part.data };
    case 'message-metadata':
      return endOf(part.messageMetadata);
    case 'error':
      return { errorText: part.errorText };
    default:
      return {};
  }
}

const endOf = ({ state, verdict }: AnswerMetadata): Partial<CollectedAnswer> => ({
  state,
  verdict,
});
