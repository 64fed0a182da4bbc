/** Gives the slot back. Calling it again does nothing. */
export type ReleaseSlot = () => void;

type Waiter = (release: ReleaseSlot | undefined) => void;

/**
 * A cap on what runs at once, fair between keys: when a slot gets free, the keys that wait take
 * turns, so one key with a hundred waiters delays another key by one turn only. At most
 * `waitingMax` wait; whoever comes later is told so at once, as if the time had run out.
 */
export function createSlots({ max, waitingMax = 10_000 }: { max: number; waitingMax?: number }) {
  // A Map keeps insertion order: the first key is the next to be served, then it goes to the end.
  const waitersByKey = new Map<string, Set<Waiter>>();
  let free = max;
  let waiting = 0;

  /** Resolves to undefined after `timeoutMs` without a slot; rejects with the signal's reason. */
  async function acquire(
    key: string,
    { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
  ): Promise<ReleaseSlot | undefined> {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return createRelease();
    }
    if (timeoutMs <= 0 || waiting >= waitingMax) return undefined;
    return wait(key, signal, timeoutMs);
  }

  function wait(key: string, signal: AbortSignal, timeoutMs: number) {
    return new Promise<ReleaseSlot | undefined>((resolve, reject) => {
      const settle: Waiter = (release) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        leave(key, settle);
        resolve(release);
      };
      const abort = () => {
        reject(signal.reason);
        settle(undefined);
      };
      const timer = setTimeout(() => settle(undefined), timeoutMs);
      signal.addEventListener('abort', abort, { once: true });
      enter(key, settle);
    });
  }

  function enter(key: string, waiter: Waiter): void {
    const waiters = waitersByKey.get(key) ?? new Set();
    waitersByKey.set(key, waiters.add(waiter));
    waiting += 1;
  }

  function leave(key: string, waiter: Waiter): void {
    const waiters = waitersByKey.get(key);
    waiters?.delete(waiter);
    if (waiters?.size === 0) waitersByKey.delete(key);
    waiting -= 1;
  }

  function createRelease(): ReleaseSlot {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      passOn();
    };
  }

  function passOn(): void {
    const [next] = waitersByKey;
    if (!next) {
      free += 1;
      return;
    }
    const [key, waiters] = next;
    waitersByKey.delete(key);
    waitersByKey.set(key, waiters);
    const [waiter] = waiters;
    waiter?.(createRelease());
  }

  return { acquire };
}

export type Slots = ReturnType<typeof createSlots>;
