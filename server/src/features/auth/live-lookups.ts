import type { Clock } from '../../platform/clock.ts';

/** What was read is believed for this long: half of what a revocation may take on all instances. */
const believedMs = 500;
const entriesMax = 10_000;

/** What lets somebody in, until it expires. */
type Live = { expiresAt: Date | null };
type Entry<Found> = { readAt: number; found: Promise<Found | undefined> };

/** Looks up what lets people and programs in, at most once in half a second each. */
export function createLiveLookups<Found extends Live>(dependencies: {
  read: (key: string) => Promise<Found | undefined>;
  clock: Clock;
}) {
  const { read, clock } = dependencies;
  const entries = new Map<string, Entry<Found>>();

  const isFresh = ({ readAt }: Entry<Found>, now: number): boolean =>
    now >= readAt && now - readAt < believedMs;

  function readAnew(key: string, readAt: number): Promise<Found | undefined> {
    const found = read(key);
    const entry = { readAt, found };
    found.catch(() => {
      if (entries.get(key) === entry) entries.delete(key);
    });
    // Set anew, it moves to the end: the first entry is always the one read longest ago.
    entries.delete(key);
    entries.set(key, entry);
    const [oldest] = entries.keys();
    if (entries.size > entriesMax && oldest !== undefined) entries.delete(oldest);
    return found;
  }

  return {
    /** Undefined when it has ended, or whose it is may not come in. */
    async find(key: string): Promise<Found | undefined> {
      const now = clock.now();
      const entry = entries.get(key);
      const known = entry && isFresh(entry, now.getTime()) ? entry.found : undefined;
      const found = await (known ?? readAnew(key, now.getTime()));
      return found && isLive(found, now) ? found : undefined;
    },

    /** This process need not wait to see what it has ended itself. */
    forget(keys: readonly string[]): void {
      for (const key of keys) entries.delete(key);
    },
  };
}

export const isLive = ({ expiresAt }: Live, now: Date): boolean =>
  expiresAt === null || expiresAt > now;
