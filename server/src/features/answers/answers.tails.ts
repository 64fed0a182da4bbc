import type { Kysely } from 'kysely';
import type { Bus } from '../../platform/bus/bus.ts';
import { outsideTransaction } from '../../platform/database/transaction.ts';
import type { Tables } from '../../tables.ts';
import { answersChanged } from '../tickets/answers-changed.ts';
import * as repository from './answers.repository.ts';
import type { AnswerRow } from './answers.repository.ts';

/** Ids of answers whose text grew on some instance. */
export const answersGrown = 'answers.grown';

/**
 * An answer that somebody reads: the newest committed row, and a wake-up for all its readers.
 * All readers of a tail stand at its end, so a frame is encoded once for all of them.
 */
export type Tail = {
  readonly row: AnswerRow;
  /** Resolves at the next change, or when `wake` is called. */
  changed(): Promise<void>;
  wake(): void;
  /** The result of `encode` for this stretch of text; kept for the next reader who asks for it. */
  frame(from: number, to: number, encode: () => string): string;
};

type OpenTail = Tail & { set(row: AnswerRow): void; readers: number };

/** A lost notification is made good by looking again after this long. */
const recheckMs = 5_000;

/** The answers that this process shows to readers, wherever they are written. */
export function createTails({ db, bus }: { db: Kysely<Tables>; bus: Bus }) {
  const open = new Map<string, OpenTail>();
  /** Answers that this process writes: their rows are set here as they are committed. */
  const local = new Set<string>();
  const stale = new Set<string>();
  let refreshing = false;

  function markStale(ids: Iterable<string>, isElsewhere: (id: string) => boolean): void {
    for (const id of ids) if (open.has(id) && isElsewhere(id)) stale.add(id);
    if (stale.size > 0 && !refreshing) void outsideTransaction(refresh);
  }

  async function refresh(): Promise<void> {
    refreshing = true;
    try {
      while (stale.size > 0) {
        const ids = [...stale];
        stale.clear();
        for (const row of await repository.findMany(db, ids)) open.get(row.id)?.set(row);
      }
    } catch {
      // The database is away: the recheck tries again.
    } finally {
      refreshing = false;
    }
  }

  const notLocal = (id: string): boolean => !local.has(id);
  const subscriptions = [
    bus.subscribe(answersGrown, {
      onIds: (ids) => markStale(ids, notLocal),
      onReconnect: () => markStale(open.keys(), () => true),
    }),
    bus.subscribe(answersChanged, {
      onIds: (ids) => markStale(ids, () => true),
      onReconnect: () => undefined,
    }),
  ];
  const recheck = setInterval(() => markStale(open.keys(), notLocal), recheckMs);
  recheck.unref();

  return {
    local,
    /** Takes a committed row; an older one than the readers have is ignored. */
    set: (row: AnswerRow): void => open.get(row.id)?.set(row),
    /** Starts reading: the tail of the answer, to be given back with `close`. */
    open(row: AnswerRow): { tail: Tail; close(): void } {
      const tail = open.get(row.id) ?? createTail(row);
      open.set(row.id, tail);
      tail.readers += 1;
      tail.set(row);
      return {
        tail,
        close() {
          tail.readers -= 1;
          if (tail.readers === 0) open.delete(row.id);
        },
      };
    },
    stop(): void {
      clearInterval(recheck);
      for (const unsubscribe of subscriptions) unsubscribe();
    },
  };
}

export type Tails = ReturnType<typeof createTails>;

function createTail(first: AnswerRow): OpenTail {
  let row = first;
  let change = Promise.withResolvers<void>();
  let last = { from: -1, to: -1, frame: '' };
  const wake = (): void => {
    change.resolve();
    change = Promise.withResolvers<void>();
  };
  return {
    readers: 0,
    get row() {
      return row;
    },
    changed: () => change.promise,
    wake,
    set(next) {
      if (isOlder(next, row)) return;
      row = next;
      wake();
    },
    frame(from, to, encode) {
      if (last.from !== from || last.to !== to) last = { from, to, frame: encode() };
      return last.frame;
    },
  };
}

/** An ended answer never changes its text, and a shown text never shrinks. */
const isOlder = (next: AnswerRow, current: AnswerRow): boolean =>
  (current.ended_at !== null && next.ended_at === null) || next.text.length < current.text.length;
