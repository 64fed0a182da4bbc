import type { FastifyReply } from 'fastify';
import type { Actor } from '../auth/actor.ts';
import type { SessionStreams } from '../auth/session.streams.ts';
import type { LiveHub } from './live.hub.ts';

export type LiveStreams = ReturnType<typeof createLiveStreams>;

/** Sends the live feed to readers. */
export function createLiveStreams({
  hub,
  sessionStreams,
}: {
  hub: LiveHub;
  sessionStreams: SessionStreams;
}) {
  return {
    async send(
      actor: Actor,
      reply: FastifyReply,
      lastSeen: number | undefined,
    ): Promise<FastifyReply> {
      sessionStreams.requireRoom(actor);
      const start = await hub.start(lastSeen);
      hub.join(actor, sessionStreams.open(actor, reply), start);
      return reply;
    },
  };
}
