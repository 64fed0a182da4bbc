import { AiError } from './provider.ts';

/** Milliseconds that a provider may take: to begin, between two pieces, and in all. */
export type AiTimeouts = { firstByteMs: number; betweenChunksMs: number; totalMs: number };

/**
 * The time limits of one call and the caller's signal, as one signal for its connection. Aborts
 * with an `AiError` when time runs out, with the caller's own reason when the caller gives up.
 */
export function createDeadline({
  provider,
  signal,
  timeouts,
}: {
  provider: string;
  signal: AbortSignal;
  timeouts: AiTimeouts;
}) {
  const connection = new AbortController();
  let silenceMs = timeouts.firstByteMs;
  let isWaiting = true;

  const giveUp = () => connection.abort(signal.reason);
  const expire = (limit: string) =>
    connection.abort(new AiError('timed-out', `${provider}: ${limit}`));
  // A slow reader of ours must not count as a provider's silence.
  const onSilence = () => isWaiting && expire(`nothing came for ${silenceMs} ms`);

  const total = setTimeout(expire, timeouts.totalMs, `not over after ${timeouts.totalMs} ms`);
  let silence = setTimeout(onSilence, silenceMs);
  signal.addEventListener('abort', giveUp, { once: true });

  /** Call before waiting for the next piece. */
  function wait(limitMs: number): void {
    isWaiting = true;
    if (limitMs === silenceMs) {
      // Much cheaper than a new timer, and this runs for every piece.
      silence.refresh();
      return;
    }
    clearTimeout(silence);
    silenceMs = limitMs;
    silence = setTimeout(onSilence, limitMs);
  }

  /** Call when the piece is here. */
  function received(): void {
    isWaiting = false;
  }

  /** Ends the watch; the connection stays as it is. */
  function end(): void {
    clearTimeout(total);
    clearTimeout(silence);
    signal.removeEventListener('abort', giveUp);
  }

  /** Frees the connection; does nothing to a reply that was read to its end. */
  const disconnect = (): void => connection.abort();

  return { signal: connection.signal, wait, received, end, disconnect };
}
