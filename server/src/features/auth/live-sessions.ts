import type { Kysely } from 'kysely';
import type { Clock } from '../../platform/clock.ts';
import type { Tables } from '../../tables.ts';
import { findLiveSession, type LiveSession } from './auth.repository.ts';

/** What was read is believed for this long: half of what a revocation may take on all instances. */
const believedMs = 500;
const entriesMax = 10_000;

type Entry = { readAt: number; session: Promise<LiveSession | undefined> };

/** Looks sessions up, at most once in half a second each. */
export function createLiveSessions({ db, clock }: { db: Kysely<Tables>; clock: Clock }) {
  const entries = new Map<string, Entry>();

  const isFresh = ({ readAt }: Entry, now: number): boolean =>
    now >= readAt && now - readAt < believedMs;

  function read(id: string, readAt: number): Promise<LiveSession | undefined> {
    const session = findLiveSession(db, id);
    const entry = { readAt, session };
    session.catch(() => {
      if (entries.get(id) === entry) entries.delete(id);
    });
    // Set anew, it moves to the end: the first entry is always the one read longest ago.
    entries.delete(id);
    entries.set(id, entry);
    const [oldest] = entries.keys();
    if (entries.size > entriesMax && oldest !== undefined) entries.delete(oldest);
    return session;
  }

  return {
    /** Undefined when the session or its user has ended. */
    async find(id: string): Promise<LiveSession | undefined> {
      const now = clock.now();
      const entry = entries.get(id);
      const known = entry && isFresh(entry, now.getTime()) ? entry.session : undefined;
      const session = await (known ?? read(id, now.getTime()));
      return session && session.expiresAt > now ? session : undefined;
    },

    /** This process need not wait to see what it has ended itself. */
    forget(ids: readonly string[]): void {
      for (const id of ids) entries.delete(id);
    },
  };
}
