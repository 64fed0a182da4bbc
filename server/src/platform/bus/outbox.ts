/** A channel that nobody can be told of forgets what is older: its listeners read again anyway. */
const idsWaitingMax = 10_000;

/**
 * What waits to be told to other instances, by channel. What piles up while one message is on its
 * way goes out together with the next one.
 */
export function createOutbox({
  idsPerMessageMax,
  send,
}: {
  idsPerMessageMax: number;
  /** One message on its way; a failed one is lost. */
  send: (channel: string, ids: readonly string[]) => Promise<unknown>;
}) {
  const unsent = new Map<string, Set<string>>();
  let sending: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    for (let next = unsent.entries().next(); !next.done; next = unsent.entries().next()) {
      const [channel, waiting] = next.value;
      const ids = [...waiting].slice(0, idsPerMessageMax);
      for (const id of ids) waiting.delete(id);
      if (waiting.size === 0) unsent.delete(channel);
      await send(channel, ids).catch(() => undefined);
    }
  }

  /** Resolves when all that waits is on its way. */
  return function put(channel: string, ids: readonly string[]): Promise<void> {
    const waiting = unsent.get(channel) ?? new Set();
    if (waiting.size > idsWaitingMax) waiting.clear();
    for (const id of ids) waiting.add(id);
    unsent.set(channel, waiting);
    sending ??= sendAll().finally(() => (sending = undefined));
    return sending;
  };
}
