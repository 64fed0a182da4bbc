import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { etagOf, ifMatchOf } from '../../platform/http/preconditions.ts';
import { timeOf } from '../../platform/http/query.ts';
import { IdParams, ifMatchHeaders, pageOf, problems, ref } from '../../platform/http/schemas.ts';
import { isStaff, type Actor } from '../auth/actor.ts';
import { Event, exampleEvent, presentEvent, TimelineQuery } from '../events/events.schemas.ts';
import {
  exampleMessage,
  exampleTicket,
  ListMessagesQuery,
  ListTicketsQuery,
  Message,
  presentMessage,
  presentTicket,
  presentTicketWithMessages,
  Ticket,
  TicketWithNewestMessages,
  UpdateTicketBody,
} from './tickets.schemas.ts';
import type { Static } from 'typebox';
import type { TicketFilter, TicketSort, TicketsService } from './tickets.service.ts';

export const ticketsRoutes =
  ({ tickets }: { tickets: TicketsService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get(
      '/tickets',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'listTickets',
          summary: 'List tickets',
          description: 'Customers see their own, staff see all.',
          tags: ['tickets'],
          querystring: ListTicketsQuery,
          response: {
            200: {
              ...pageOf(ref(Ticket)),
              examples: [{ data: [exampleTicket], next_cursor: null }],
            },
            ...problems(403, 422),
          },
        },
      },
      async (request) => {
        const { limit = 25, cursor, sort = '-updated_at' } = request.query;
        const page = await tickets.list(request.actor, {
          filter: filterOf(request.actor, request.query),
          sort: sortOf(sort),
          limit,
          cursor,
        });
        return { ...page, data: page.data.map(presentTicket) };
      },
    );

    app.get(
      '/tickets/:id',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'getTicket',
          summary: 'Read a ticket with its newest messages',
          tags: ['tickets'],
          params: IdParams,
          response: {
            200: {
              ...ref(TicketWithNewestMessages),
              examples: [
                { ...exampleTicket, messages: [exampleMessage], older_messages_cursor: null },
              ],
            },
            ...problems(403, 404, 422),
          },
        },
      },
      async (request, reply) => {
        const ticket = await tickets.get(request.actor, request.params.id);
        reply.header('etag', etagOf(ticket.version));
        return presentTicketWithMessages(ticket);
      },
    );

    for (const method of ['PATCH', 'PUT'] as const) {
      app.route({
        method,
        url: '/tickets/:id',
        config: { policy: 'signed-in' },
        schema: {
          operationId: method === 'PATCH' ? 'updateTicket' : 'putTicket',
          summary: method === 'PATCH' ? 'Change a ticket' : 'Change a ticket (the same as PATCH)',
          description:
            'Only the fields that are sent change. With `If-Match` the change is refused when the ticket is no longer at that version.',
          tags: ['tickets'],
          params: IdParams,
          headers: ifMatchHeaders,
          body: UpdateTicketBody,
          response: {
            200: { ...ref(Ticket), examples: [{ ...exampleTicket, status: 'resolved' }] },
            ...problems(403, 404, 409, 412, 422),
          },
        },
        handler: async (request, reply) => {
          const ticket = await tickets.update(
            request.actor,
            request.params.id,
            request.body,
            ifMatchOf(request),
          );
          reply.header('etag', etagOf(ticket.version));
          return presentTicket(ticket);
        },
      });
    }

    app.get(
      '/tickets/:id/messages',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'listMessages',
          summary: 'List the messages of a ticket',
          description: 'Customers do not see internal notes.',
          tags: ['messages'],
          params: IdParams,
          querystring: ListMessagesQuery,
          response: {
            200: {
              ...pageOf(ref(Message)),
              examples: [{ data: [exampleMessage], next_cursor: null }],
            },
            ...problems(403, 404, 422),
          },
        },
      },
      async (request) => {
        const { limit = 25, cursor, sort = 'seq' } = request.query;
        const direction = sort === 'seq' ? 'asc' : 'desc';
        const page = await tickets.listMessages(request.actor, request.params.id, {
          limit,
          direction,
          cursor,
        });
        return { ...page, data: page.data.map(presentMessage) };
      },
    );

    app.get(
      '/tickets/:id/timeline',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'getTicketTimeline',
          summary: 'Read what happened to a ticket',
          description: 'Customers do not see the notes between members of the team.',
          tags: ['tickets'],
          params: IdParams,
          querystring: TimelineQuery,
          response: {
            200: { ...pageOf(ref(Event)), examples: [{ data: [exampleEvent], next_cursor: null }] },
            ...problems(403, 404, 422),
          },
        },
      },
      async ({ actor, params, query }) => {
        const { limit = 25, cursor, sort = 'created_at' } = query;
        const direction = sort === 'created_at' ? 'asc' : 'desc';
        const page = await tickets.timeline(actor, params.id, { limit, direction, cursor });
        return { ...page, data: page.data.map((event) => presentEvent(event, isStaff(actor))) };
      },
    );
    done();
  };

function filterOf(actor: Actor, query: Static<typeof ListTicketsQuery>): TicketFilter {
  return {
    status: query.status,
    priority: query.priority,
    assignee: query.assignee === 'me' ? actor.id : query.assignee,
    requester: query.requester,
    handedOff: query.handed_off,
    createdFrom: timeOf('?created_at[gte]', query['created_at[gte]']),
    createdBefore: timeOf('?created_at[lt]', query['created_at[lt]']),
    text: query.q,
  };
}

const sortOf = (sort: string): TicketSort => ({
  column: sort.replace('-', '') as TicketSort['column'],
  direction: sort.startsWith('-') ? 'desc' : 'asc',
});
