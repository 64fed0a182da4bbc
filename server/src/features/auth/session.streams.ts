import type { FastifyReply } from 'fastify';
import { AppError } from '../../errors.ts';
import type { EventSink, EventStreams } from '../../platform/http/event-stream.ts';
import type { Actor } from './actor.ts';

export type SessionStreams = ReturnType<typeof createSessionStreams>;

/** Streams of every kind: so many per user together, and each ends with the session or key that asked. */
export function createSessionStreams(dependencies: {
  eventStreams: EventStreams;
  isLive: (actor: Actor) => Promise<boolean>;
  perUserMax: number;
}) {
  const { eventStreams, isLive, perUserMax } = dependencies;
  const openByUser = new Map<string, number>();

  function count(userId: string, change: 1 | -1): void {
    const open = (openByUser.get(userId) ?? 0) + change;
    if (open > 0) openByUser.set(userId, open);
    else openByUser.delete(userId);
  }

  /** Throws 429 when the user has as many streams as one may have. */
  function requireRoom(actor: Actor): void {
    if ((openByUser.get(actor.id) ?? 0) < perUserMax) return;
    throw new AppError(
      'too-many-streams',
      `You have ${perUserMax} streams open; close one first.`,
      {
        details: { headers: { 'retry-after': '5' } },
      },
    );
  }

  return {
    requireRoom,

    /** Replies with what `frames` yields. */
    send(
      actor: Actor,
      reply: FastifyReply,
      frames: (signal: AbortSignal) => AsyncIterable<string>,
    ): FastifyReply {
      requireRoom(actor);
      count(actor.id, 1);
      return eventStreams.send(
        reply,
        async function* (signal) {
          try {
            yield* frames(signal);
          } finally {
            count(actor.id, -1);
          }
        },
        () => isLive(actor),
      );
    },

    /** Replies with a stream that is written to from outside. */
    open(actor: Actor, reply: FastifyReply): EventSink {
      requireRoom(actor);
      count(actor.id, 1);
      const sink = eventStreams.open(reply, () => isLive(actor));
      sink.signal.addEventListener('abort', () => count(actor.id, -1), { once: true });
      return sink;
    },
  };
}
