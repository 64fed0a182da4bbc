import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import { IdParams, problems, ref } from '../../platform/http/schemas.ts';
import {
  examplePresence,
  LiveHeaders,
  LiveQuery,
  LiveStream,
  Presence,
  PresenceBody,
} from './live.schemas.ts';
import { parseLivePosition } from './live.stream.ts';
import type { LiveStreams } from './live.streams.ts';
import type { PresenceService } from './presence.service.ts';

export const liveRoutes =
  (dependencies: {
    presence: PresenceService;
    liveStreams: LiveStreams;
  }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { presence, liveStreams } = dependencies;

    app.get(
      '/events/stream',
      {
        exposeHeadRoute: false,
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'streamEvents',
          summary: 'Follow what happens, live',
          description:
            'The feed of `GET /events`, pushed. `hello` comes first and says where the stream begins; ' +
            '`event` has an event; go on behind its id with `Last-Event-ID` and you miss nothing. ' +
            'Frames without an id are about this moment: `assistant` (it begins to write an answer; ' +
            'an `answer.…` event tells of the end) and `presence` (who is at a ticket). Customers get ' +
            'what is about their own tickets, and of the team only who is typing.',
          tags: ['events'],
          querystring: LiveQuery,
          headers: LiveHeaders,
          response: {
            200: {
              description: 'Server-sent events, without an end.',
              content: { 'text/event-stream': { schema: LiveStream } },
            },
            ...problems(403, 422),
          },
        },
      },
      async (request, reply) => {
        const { after } = request.query;
        const asked = after === undefined ? undefined : Number(after);
        return liveStreams.send(request.actor, reply, lastSeenBy(request) ?? asked);
      },
    );

    app.put(
      '/tickets/:id/presence',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'setPresence',
          summary: 'Say that you are at a ticket',
          description:
            'Holds for 30 seconds: say it again before. Staff see everybody; the customer sees only ' +
            'who of the team is `typing`, so composing an internal note is `viewing`.',
          tags: ['tickets'],
          params: IdParams,
          body: PresenceBody,
          response: {
            200: { ...ref(Presence), examples: [examplePresence] },
            ...problems(403, 404, 422),
          },
        },
      },
      async ({ actor, params, body }) => ({
        people: await presence.set(actor, params.id, body.state),
      }),
    );
    done();
  };

function lastSeenBy({ headers }: FastifyRequest): number | undefined {
  const header = headers['last-event-id'];
  if (header === undefined || header === '') return undefined;
  const position = typeof header === 'string' ? parseLivePosition(header) : undefined;
  if (position !== undefined) return position;
  throw new AppError(
    'invalid-last-event-id',
    'Last-Event-ID must be the id of a frame of this stream.',
  );
}
