import { failure, type Failure } from './failure.ts';

/** The time limit of one attempt and the caller's signal, as one signal and one failure. */
export function createDeadline({
  timeoutMs,
  signal,
}: {
  timeoutMs: number;
  signal: AbortSignal | undefined;
}) {
  const controller = new AbortController();
  const { promise: over, resolve } = Promise.withResolvers<Failure>();

  function stop(reason: Failure): void {
    // First, or the connection that the signal ends would look like the cause.
    resolve(reason);
    controller.abort();
  }
  const giveUp = () => stop(failure('aborted', 'the caller gave up'));
  const timer = setTimeout(
    () => stop(failure('timeout', `not over after ${timeoutMs} ms`)),
    timeoutMs,
  );
  signal?.addEventListener('abort', giveUp, { once: true });
  if (signal?.aborted) giveUp();

  /** Ends the watch, and everything that still hangs on the signal. */
  function end(): void {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
    controller.abort();
  }

  return { signal: controller.signal, over, end };
}
