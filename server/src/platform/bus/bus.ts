/**
 * Tells every instance that something it may be showing has changed. A message says only *what*
 * changed, never its content: whoever cares reads the database. Messages can be lost (a dropped
 * connection), never invented; after a loss every listener gets `onReconnect`.
 */
export type Bus = {
  /** Resolves when the message is on its way. Listeners of this process hear it too. */
  publish(channel: string, ids: readonly string[]): Promise<void>;
  /** Returns the function that ends the subscription. */
  subscribe(channel: string, listener: BusListener): () => void;
  /** Whether other instances can be told, and heard, just now. */
  isUp(): boolean;
  close(): Promise<void>;
};

export type BusListener = {
  onIds(ids: readonly string[]): void;
  /** Messages may have been missed: read everything again. */
  onReconnect(): void;
};

/** Listeners by channel: the part that every bus shares. */
export function createListeners() {
  const byChannel = new Map<string, Set<BusListener>>();
  return {
    add(channel: string, listener: BusListener): () => void {
      const listeners = byChannel.get(channel) ?? new Set();
      byChannel.set(channel, listeners.add(listener));
      return () => void listeners.delete(listener);
    },
    deliver(channel: string, ids: readonly string[]): void {
      for (const listener of byChannel.get(channel) ?? []) listener.onIds(ids);
    },
    reconnected(): void {
      for (const listeners of byChannel.values()) {
        for (const listener of listeners) listener.onReconnect();
      }
    },
  };
}

/** The bus of a process that is alone with its database. */
export function createInProcessBus(): Bus {
  const listeners = createListeners();
  return {
    publish: (channel, ids) => {
      listeners.deliver(channel, ids);
      return Promise.resolve();
    },
    subscribe: listeners.add,
    isUp: () => true,
    close: () => Promise.resolve(),
  };
}
