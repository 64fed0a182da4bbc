import type { FastifyReply, FastifyRequest } from 'fastify';
import { isStaff } from '../auth/actor.ts';
import type { SessionStreams } from '../auth/session.streams.ts';
import type { AnswerRow } from './answers.repository.ts';
import { answerFrames, resumeOffset, type StreamPosition } from './answers.stream.ts';
import type { Tails } from './answers.tails.ts';

export type AnswerStreams = ReturnType<typeof createAnswerStreams>;

/** Only who names the type gets a stream; accepting anything means JSON. */
export const wantsEventStream = (request: FastifyRequest): boolean =>
  request.headers.accept?.includes('text/event-stream') ?? false;

/** Sends answers to readers. */
export function createAnswerStreams({
  tails,
  sessionStreams,
}: {
  tails: Tails;
  sessionStreams: SessionStreams;
}) {
  return {
    requireRoom: sessionStreams.requireRoom,
    send(
      { actor }: FastifyRequest,
      reply: FastifyReply,
      answer: AnswerRow,
      position: StreamPosition | undefined,
    ): FastifyReply {
      reply.header('x-vercel-ai-ui-message-stream', 'v1');
      return sessionStreams.send(actor, reply, async function* (signal) {
        const { tail, close } = tails.open(answer);
        try {
          yield* answerFrames(tail, {
            audience: isStaff(actor) ? 'staff' : 'customer',
            offset: resumeOffset(tail.row, position),
            signal,
          });
        } finally {
          close();
        }
      });
    },
  };
}
