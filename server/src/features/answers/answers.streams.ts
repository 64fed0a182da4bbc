import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import type { EventStreams } from '../../platform/http/event-stream.ts';
import { isStaff, type Actor } from '../auth/actor.ts';
import type { AuthService } from '../auth/auth.service.ts';
import type { AnswerRow } from './answers.repository.ts';
import { answerFrames, resumeOffset, type StreamPosition } from './answers.stream.ts';
import type { Tails } from './answers.tails.ts';

export type AnswerStreams = ReturnType<typeof createAnswerStreams>;

/** Only who names the type gets a stream; accepting anything means JSON. */
export const wantsEventStream = (request: FastifyRequest): boolean =>
  request.headers.accept?.includes('text/event-stream') ?? false;

/** Sends answers to readers: bounded per user, and bound to the session that asked. */
export function createAnswerStreams(dependencies: {
  tails: Tails;
  eventStreams: EventStreams;
  auth: AuthService;
  perUserMax: number;
}) {
  const { tails, eventStreams, auth, perUserMax } = dependencies;
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
    send(
      request: FastifyRequest,
      reply: FastifyReply,
      answer: AnswerRow,
      position: StreamPosition | undefined,
    ): FastifyReply {
      const { actor } = request;
      requireRoom(actor);
      count(actor.id, 1);
      reply.header('x-vercel-ai-ui-message-stream', 'v1');
      return eventStreams.send(
        reply,
        async function* (signal) {
          const { tail, close } = tails.open(answer);
          try {
            yield* answerFrames(tail, {
              audience: isStaff(actor) ? 'staff' : 'customer',
              offset: resumeOffset(tail.row, position),
              signal,
            });
          } finally {
            close();
            count(actor.id, -1);
          }
        },
        () => auth.isSessionLive(actor),
      );
    },
  };
}
