import { readConnection, reconnectDelayMs, reconnectMs, type Connection } from './connection.ts';
import { mayRetry, pause, type Http } from './http.ts';
import type { LivePart } from './types.ts';

export type EventStreamOptions = {
  /** Leaves the stream; the iteration throws the signal's reason. */
  signal?: AbortSignal;
  /** Where an earlier reader has been, or `next_after` of the feed: what came since comes first. */
  lastEventId?: string;
};

/** What happens, to be read once, for as long as one likes. */
export type LiveStream = AsyncIterable<LivePart> & {
  /** The place in the feed that was reached, to go on behind it later; '' before the first frame. */
  readonly lastEventId: string;
};

/**
 * The live feed, over as many connections as it takes: one that breaks, or is silent for `idleMs`, is
 * made again behind the last event that came through, so each event comes once and in order. It has no
 * end. Throws `ApiError` when the server refuses.
 */
export function streamEvents(
  http: Http,
  idleMs: number,
  { signal, lastEventId = '' }: EventStreamOptions = {},
): LiveStream {
  const path = '/events/stream';
  const connection = { http, path, idleMs, signal, lastEventId, retryMs: reconnectMs };
  const parts = readEvents(connection);
  return {
    [Symbol.asyncIterator]: () => parts,
    get lastEventId() {
      return connection.lastEventId;
    },
  };
}

async function* readEvents(connection: Connection): AsyncGenerator<LivePart, void, undefined> {
  const { signal } = connection;
  for (let failures = 0; ;) {
    let failure: unknown;
    try {
      for await (const part of readConnection<LivePart>(connection)) {
        failures = 0;
        if (part !== 'done') yield part;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!mayRetry(error, true)) throw error;
      failure = error;
    }
    failures += 1;
    await pause(reconnectDelayMs(failure, failures, connection.retryMs, Math.random()), signal);
  }
}
