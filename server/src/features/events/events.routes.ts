import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { timeOf } from '../../platform/http/query.ts';
import { pageOf, problems, ref } from '../../platform/http/schemas.ts';
import { isStaff } from '../auth/actor.ts';
import {
  AuditQuery,
  Event,
  exampleEvent,
  Feed,
  FeedQuery,
  presentEvent,
} from './events.schemas.ts';
import type { EventsService } from './events.service.ts';

export const eventsRoutes =
  ({ events }: { events: EventsService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get(
      '/events',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'listEvents',
          summary: 'Read what happened, in order',
          description:
            'Everything that has been committed stands in one order, which never changes: go on with ' +
            '`next_after` and you miss nothing. Customers see what happens on their own tickets.',
          tags: ['events'],
          querystring: FeedQuery,
          response: {
            200: { ...Feed, examples: [{ data: [exampleEvent], next_after: '5120' }] },
            ...problems(403, 422),
          },
        },
      },
      async ({ actor, query }) => {
        const { after = '0', limit = 25, type: types } = query;
        const feed = await events.feed(actor, { after: Number(after), limit, filter: { types } });
        return {
          data: feed.data.map((event) => presentEvent(event, isStaff(actor))),
          next_after: String(feed.position),
        };
      },
    );

    app.get(
      '/audit',
      {
        config: { policy: 'admin' },
        schema: {
          operationId: 'listAudit',
          summary: 'Read the audit log',
          description:
            'What the team and its API keys did, and what happened to accounts, settings and webhooks; ' +
            'newest first. ' +
            'Nothing in it can be changed or deleted; erasing a person blanks their values in it, and ' +
            'retention, if it is set, takes what is old.',
          tags: ['workspace'],
          querystring: AuditQuery,
          response: {
            200: { ...pageOf(ref(Event)), examples: [{ data: [exampleEvent], next_cursor: null }] },
            ...problems(403, 422),
          },
        },
      },
      async ({ actor, query }) => {
        const { limit = 25, cursor } = query;
        const filter = {
          actorId: query.actor,
          subjectId: query.subject,
          types: query.type,
          createdFrom: timeOf('?created_at[gte]', query['created_at[gte]']),
          createdBefore: timeOf('?created_at[lt]', query['created_at[lt]']),
        };
        const page = await events.audit(actor, { filter, limit, cursor });
        return { ...page, data: page.data.map((event) => presentEvent(event, true)) };
      },
    );
    done();
  };
