import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../../errors.ts';
import { idempotencyOf, markReplayed } from '../../platform/http/preconditions.ts';
import {
  closed,
  EmptyBody,
  idempotencyHeaders,
  IdParams,
  problems,
  ref,
} from '../../platform/http/schemas.ts';
import {
  Answer,
  AnswerStream,
  exampleAnswer,
  FeedbackBody,
  presentAnswer,
} from './answers.schemas.ts';
import { AnswerTraceShape, exampleTrace, presentTrace } from './answers.trace.schemas.ts';
import type { AnswersService } from './answers.service.ts';
import { parsePosition, type StreamPosition } from './answers.stream.ts';
import type { AnswerStreams } from './answers.streams.ts';

const streamReply = {
  description:
    'Server-sent events: an AI SDK UI message stream (v1). Reconnect with `Last-Event-ID` to go on where it broke.',
  content: {
    'text/event-stream': {
      schema: AnswerStream,
    },
  },
};

const resumeHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({ description: 'The id of the last frame that was received.' }),
  ),
});

export const answersRoutes =
  (dependencies: {
    answers: AnswersService;
    answerStreams: AnswerStreams;
  }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { answers, answerStreams } = dependencies;

    app.get(
      '/tickets/:id/ai-response',
      {
        exposeHeadRoute: false,
        // It starts an answer where there is none.
        config: { policy: 'signed-in', scope: 'tickets:write' },
        schema: {
          operationId: 'streamLatestAnswer',
          summary: 'Stream the answer to the newest customer message',
          description:
            'Starts it when there is none, joins it while it runs, replays it when it is done. 204 when there is nothing to stream.',
          tags: ['answers'],
          params: IdParams,
          querystring: Type.Object(
            {
              live: Type.Optional(
                Type.Boolean({ description: 'true: only an answer that is being written.' }),
              ),
            },
            closed,
          ),
          headers: resumeHeaders,
          response: {
            200: streamReply,
            204: { description: 'Nothing to stream.', type: 'null' },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const position = positionOf(request);
        const answer = await answers.getLatest(request.actor, request.params.id, {
          position,
          liveOnly: request.query.live ?? false,
        });
        if (!answer) return reply.code(204).send(null);
        return answerStreams.send(request, reply, answer, position);
      },
    );

    app.post(
      '/tickets/:id/answers',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'retryAnswer',
          summary: 'Answer the newest message again',
          description: 'After an answer that failed, was cut short or was stopped.',
          tags: ['answers'],
          params: IdParams,
          headers: idempotencyHeaders,
          body: EmptyBody,
          response: {
            201: { ...ref(Answer), examples: [{ ...exampleAnswer, state: 'queued', text: '' }] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, params } = request;
        const retried = await answers.retry(actor, params.id, idempotencyOf(request));
        const { answer } = retried;
        markReplayed(reply, retried);
        reply.code(201).header('location', `/api/v1/answers/${answer.id}`);
        return presentAnswer(actor, answer);
      },
    );

    app.get(
      '/answers/:id',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'getAnswer',
          summary: 'Read an answer',
          tags: ['answers'],
          params: IdParams,
          response: {
            200: { ...ref(Answer), examples: [exampleAnswer] },
            ...problems(403, 404, 422),
          },
        },
      },
      async (request) =>
        presentAnswer(request.actor, await answers.get(request.actor, request.params.id)),
    );

    app.get(
      '/answers/:id/trace',
      {
        config: { policy: 'staff' },
        schema: {
          operationId: 'traceAnswer',
          summary: 'Read how an answer came about',
          description: 'What was asked, found, sent, cited and decided, and what it cost.',
          tags: ['answers'],
          params: IdParams,
          response: {
            200: { ...ref(AnswerTraceShape), examples: [exampleTrace] },
            ...problems(403, 404, 422),
          },
        },
      },
      async (request) => presentTrace(await answers.get(request.actor, request.params.id)),
    );

    app.get(
      '/answers/:id/events',
      {
        exposeHeadRoute: false,
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'streamAnswer',
          summary: 'Stream an answer',
          tags: ['answers'],
          params: IdParams,
          headers: resumeHeaders,
          response: {
            200: streamReply,
            204: { description: 'The reader has it all.', type: 'null' },
            ...problems(403, 404, 422),
          },
        },
      },
      async (request, reply) => {
        const position = positionOf(request);
        const answer = await answers.get(request.actor, request.params.id);
        if (position?.offset === 'end') return reply.code(204).send(null);
        return answerStreams.send(request, reply, answer, position);
      },
    );

    app.post(
      '/answers/:id/cancel',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'cancelAnswer',
          summary: 'Stop an answer that is being written',
          description: 'What was shown stays, as a message.',
          tags: ['answers'],
          params: IdParams,
          body: EmptyBody,
          response: {
            200: { ...ref(Answer), examples: [{ ...exampleAnswer, state: 'cancelled' }] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request) =>
        presentAnswer(request.actor, await answers.cancel(request.actor, request.params.id)),
    );

    app.put(
      '/answers/:id/feedback',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'rateAnswer',
          summary: 'Say whether an answer helped',
          tags: ['answers'],
          params: IdParams,
          body: FeedbackBody,
          response: {
            200: {
              ...ref(Answer),
              examples: [
                {
                  ...exampleAnswer,
                  feedback: { helpful: false, reason: 'incomplete', comment: null },
                },
              ],
            },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request) =>
        presentAnswer(
          request.actor,
          await answers.saveFeedback(request.actor, request.params.id, request.body),
        ),
    );
    done();
  };

function positionOf(request: FastifyRequest): StreamPosition | undefined {
  const header = request.headers['last-event-id'];
  if (header === undefined || header === '') return undefined;
  const position = typeof header === 'string' ? parsePosition(header) : undefined;
  if (!position) {
    throw new AppError(
      'invalid-last-event-id',
      'Last-Event-ID must be the id of a frame of this stream.',
    );
  }
  return position;
}
