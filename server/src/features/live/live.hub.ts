import type { Bus } from '../../platform/bus/bus.ts';
import { outsideTransaction } from '../../platform/database/transaction.ts';
import type { Actor } from '../auth/actor.ts';
import { eventsErased } from '../events/events-erased.ts';
import { eventsPositioned } from '../events/events.relay.ts';
import type { EventsService } from '../events/events.service.ts';
import { createLiveReaders, framesFor, type LiveReader, type LiveSink } from './live.readers.ts';
import { createLiveRing, firstOf } from './live.ring.ts';
import type { LiveFrames } from './live.stream.ts';

/** What a reader who was away for a moment finds without asking the database. */
const ringFramesMax = 1_000;
/** Read, joined and pushed at once: bounds how long other work waits. */
const pageMax = 100;
/** A lost notification is made good by looking again after this long. */
const lookMs = 3_000;
/** Before a reader who is behind tries again to read from a database that is away. */
const retryMs = 1_000;

/** Where a reader begins, and where the feed ended when they came. */
export type LiveStart = { after: number; newest: number };

export type LiveHub = ReturnType<typeof createLiveHub>;

/**
 * Passes events on to the readers of this process: read once, encoded once, pushed to all. Who is
 * behind catches up by themselves, from the ring or page by page, at the pace at which they read.
 */
export function createLiveHub(dependencies: {
  events: EventsService;
  bus: Bus;
  frames: LiveFrames;
}) {
  const { events, bus, frames } = dependencies;
  const ring = createLiveRing(ringFramesMax);
  const readers = createLiveReaders((reader) => void fallBehind(reader));
  let reading = false;
  let again = false;

  function wake(): void {
    again = true;
    if (!reading && readers.size > 0) void outsideTransaction(read);
  }

  async function read(): Promise<void> {
    reading = true;
    try {
      while (again && readers.size > 0) {
        again = false;
        again = (await readPage()) === pageMax || again;
      }
    } catch {
      // The database is away: the next look tries again.
    } finally {
      reading = false;
    }
  }

  async function readPage(): Promise<number> {
    const from = ring.head;
    const page = await events.positioned(from, pageMax);
    // Begun anew in the meantime, behind other readers: this page is not the next one.
    if (from !== ring.head) return pageMax;
    for (let rest = page.map(frames.event); rest.length > 0;) {
      const next = firstOf(rest);
      ring.add(next);
      readers.deliver(next);
      rest = rest.slice(next.length);
    }
    return page.length;
  }

  async function fallBehind(reader: LiveReader): Promise<void> {
    reader.isBehind = true;
    reader.position = Math.max(reader.position, ring.head);
    await reader.sink.wanted();
    await catchUp(reader);
  }

  /** Sends what the reader misses; behind its end there is no pause in which more could be missed. */
  async function catchUp(reader: LiveReader): Promise<void> {
    const { signal } = reader.sink;
    while (!signal.aborted) {
      const recent = ring.behind(reader.position);
      if (recent?.length === 0) {
        reader.isBehind = false;
        return;
      }
      if (recent) {
        reader.position = recent.at(-1)?.position ?? reader.position;
        await send(reader, framesFor(reader.actor, recent));
      } else await sendPage(reader);
    }
  }

  async function sendPage(reader: LiveReader): Promise<void> {
    const { actor } = reader;
    try {
      const after = reader.position;
      const page = await events.feed(actor, { after, limit: pageMax, filter: {} });
      reader.position = page.position;
      for (const event of page.data) await send(reader, frames.eventFor(actor, event));
      // So that nobody searches again what had nothing for them.
      const isEnd = page.data.at(-1)?.position !== page.position;
      if (isEnd) await send(reader, frames.hello(page.position));
    } catch {
      await new Promise((resolve) => setTimeout(resolve, retryMs).unref());
    }
  }

  async function send({ sink }: LiveReader, bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0 && !sink.push(bytes)) await sink.wanted();
  }

  /** Who catches up reads it from the database, as it is now. */
  function forget(): void {
    ring.restart(ring.head);
  }

  const subscriptions = [
    bus.subscribe(eventsPositioned, { onIds: wake, onReconnect: wake }),
    bus.subscribe(eventsErased, { onIds: forget, onReconnect: forget }),
  ];
  const timer = setInterval(wake, lookMs);
  timer.unref();

  return {
    readers,

    /** Where to begin: behind what was seen last, or behind all there is now. */
    async start(lastSeen: number | undefined): Promise<LiveStart> {
      const newest = await events.newest();
      return { after: Math.min(lastSeen ?? newest, newest), newest };
    },

    /** Sends the feed to the reader until they leave. */
    join(actor: Actor, sink: LiveSink, { after, newest }: LiveStart): void {
      if (readers.size === 0) ring.restart(newest);
      const reader: LiveReader = { actor, sink, position: after, isBehind: true };
      readers.add(reader);
      sink.signal.addEventListener('abort', () => readers.remove(reader), { once: true });
      sink.push(frames.hello(after));
      void outsideTransaction(() => catchUp(reader));
      wake();
    },

    stop(): void {
      clearInterval(timer);
      for (const unsubscribe of subscriptions) unsubscribe();
    },
  };
}
