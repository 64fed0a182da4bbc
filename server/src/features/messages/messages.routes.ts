import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { EventStreams } from '../../platform/http/event-stream.ts';
import { etagOf, idempotencyOf, markReplayed } from '../../platform/http/preconditions.ts';
import {
  closed,
  idempotencyHeaders,
  IdParams,
  nullable,
  oneOf,
  problems,
  ref,
} from '../../platform/http/schemas.ts';
import { AnswerStream } from '../answers/answers.schemas.ts';
import type { AnswersService } from '../answers/answers.service.ts';
import { handoffFrames } from '../answers/answers.stream.ts';
import { wantsEventStream, type AnswerStreams } from '../answers/answers.streams.ts';
import {
  AnswerLink,
  answerLink,
  CreateTicketBody,
  exampleIds,
  exampleMessage,
  exampleTicket,
  Message,
  messageLengthMax,
  presentMessage,
  presentTicket,
  Ticket,
  ticketStatuses,
} from '../tickets/tickets.schemas.ts';
import type { TicketsService } from '../tickets/tickets.service.ts';
import type { MessagesService } from './messages.service.ts';

const NewMessageBody = Type.Object(
  {
    content: Type.String({ minLength: 1, maxLength: messageLengthMax }),
    visibility: Type.Optional(
      oneOf(['public', 'internal'] as const, { description: '`internal` is a note; staff only.' }),
    ),
    status: Type.Optional(
      oneOf(ticketStatuses, { description: 'Staff only: what the ticket becomes with it.' }),
    ),
  },
  { ...closed, examples: [{ content: 'And what about sale items?' }] },
);

/** Opening a ticket stands here and not with the tickets: it also starts the assistant. */
export const messagesRoutes =
  (dependencies: {
    messages: MessagesService;
    tickets: TicketsService;
    answers: AnswersService;
    answerStreams: AnswerStreams;
    eventStreams: EventStreams;
  }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { messages, tickets, answers, answerStreams, eventStreams } = dependencies;

    app.post(
      '/tickets',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'createTicket',
          summary: 'Open a ticket',
          description:
            'The description is message 1. The assistant starts to answer at once: follow `answer.events_url`.',
          tags: ['tickets'],
          headers: idempotencyHeaders,
          body: CreateTicketBody,
          response: {
            201: { ...ref(Ticket), examples: [exampleTicket] },
            ...problems(403, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const opened = await messages.open(request.actor, request.body, idempotencyOf(request));
        const { body } = opened;
        const ticket = await tickets.get(request.actor, body.ticketId);
        markReplayed(reply, opened);
        reply
          .code(201)
          .header('location', `/api/v1/tickets/${ticket.id}`)
          .header('etag', etagOf(ticket.version));
        const presented = presentTicket(ticket);
        if (presented.answer || !body.answerId) return presented;
        // A quick answer has ended by now: the caller still learns which one is theirs.
        const answer = await answers.get(request.actor, body.answerId);
        return { ...presented, answer: answerLink(answer) };
      },
    );

    app.post(
      '/tickets/:id/messages',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'createMessage',
          summary: 'Write a message',
          description:
            'A message of the requester gets an answer while the assistant is active. With `Accept: text/event-stream` the reply is the answer itself, as a stream.',
          tags: ['messages'],
          headers: idempotencyHeaders,
          params: IdParams,
          body: NewMessageBody,
          response: {
            201: {
              description: 'The message, and the answer that it started or joined.',
              content: {
                'application/json': {
                  schema: Type.Object(
                    { message: ref(Message), answer: nullable(ref(AnswerLink)) },
                    {
                      ...closed,
                      examples: [
                        {
                          message: {
                            ...exampleMessage,
                            author: {
                              type: 'customer',
                              id: exampleIds.customer,
                              name: 'Robin Vos',
                            },
                            content: 'And what about sale items?',
                            citations: [],
                            answer_id: null,
                            answer_state: null,
                          },
                          answer: exampleTicket.answer,
                        },
                      ],
                    },
                  ),
                },
                'text/event-stream': { schema: AnswerStream },
              },
            },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, params } = request;
        const isStream = wantsEventStream(request);
        if (isStream) answerStreams.requireRoom(actor);
        const said = await messages.say(actor, params.id, request.body, idempotencyOf(request));
        const { body } = said;
        markReplayed(reply, said);
        reply.code(201).header('location', `/api/v1/tickets/${params.id}/messages`);
        const answer = body.answerId ? await answers.get(actor, body.answerId) : undefined;
        if (isStream) {
          if (answer) return answerStreams.send(request, reply, answer, undefined);
          return eventStreams.send(reply, async function* () {
            yield handoffFrames(params.id);
          });
        }
        const message = await tickets.getMessage(actor, params.id, body.seq);
        return {
          message: presentMessage(message),
          answer: answer
            ? {
                id: answer.id,
                state: answer.state,
                events_url: `/api/v1/answers/${answer.id}/events`,
              }
            : null,
        };
      },
    );
    done();
  };
