import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { idempotencyOf, markReplayed } from '../../platform/http/preconditions.ts';
import { timeOf } from '../../platform/http/query.ts';
import {
  EmptyBody,
  idempotencyHeaders,
  IdParams,
  pageOf,
  problems,
  ref,
} from '../../platform/http/schemas.ts';
import {
  Delivery,
  DeliveryParams,
  DeliveryWithAttempts,
  exampleDelivery,
  exampleDetail,
  ListDeliveriesQuery,
  presentDelivery,
  presentDetail,
  RecoverBody,
  RecoverReply,
} from './deliveries.schemas.ts';
import type { DeliveriesService } from './deliveries.service.ts';
import type { WebhooksService } from './webhooks.service.ts';

const tags = ['webhooks'];
const config = { policy: 'admin' } as const;

/** What webhooks were sent, and sending it again. Registered under the API's prefix. */
export const deliveriesRoutes =
  (dependencies: {
    webhooks: WebhooksService;
    deliveries: DeliveriesService;
  }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { webhooks, deliveries } = dependencies;

    app.post(
      '/webhooks/:id/test',
      {
        config,
        schema: {
          operationId: 'testWebhook',
          summary: 'Send a test event',
          description: 'A `webhook.test` event, to this webhook alone, whatever it subscribes to.',
          tags,
          params: IdParams,
          headers: idempotencyHeaders,
          body: EmptyBody,
          response: {
            202: { ...ref(DeliveryWithAttempts), examples: [exampleDetail] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, params } = request;
        const sent = await webhooks.test(actor, params.id, idempotencyOf(request));
        const detail = await deliveries.get(actor, params.id, sent.body.deliveryId);
        markReplayed(reply, sent);
        return reply.code(202).send(presentDetail(detail));
      },
    );

    app.get(
      '/webhooks/:id/deliveries',
      {
        config,
        schema: {
          operationId: 'listWebhookDeliveries',
          summary: 'List what a webhook was sent',
          tags,
          params: IdParams,
          querystring: ListDeliveriesQuery,
          response: {
            200: {
              ...pageOf(ref(Delivery)),
              examples: [{ data: [exampleDelivery], next_cursor: null }],
            },
            ...problems(403, 404, 422),
          },
        },
      },
      async ({ actor, params, query }) => {
        const { limit = 25, cursor, state: states } = query;
        const page = await deliveries.list(actor, params.id, { states, limit, cursor });
        return { ...page, data: page.data.map(presentDelivery) };
      },
    );

    app.get(
      '/webhooks/:id/deliveries/:delivery_id',
      {
        config,
        schema: {
          operationId: 'getWebhookDelivery',
          summary: 'Read a delivery, with its request and the reply to each attempt',
          tags,
          params: DeliveryParams,
          response: {
            200: { ...ref(DeliveryWithAttempts), examples: [exampleDetail] },
            ...problems(403, 404, 422),
          },
        },
      },
      async ({ actor, params }) =>
        presentDetail(await deliveries.get(actor, params.id, params.delivery_id)),
    );

    app.post(
      '/webhooks/:id/deliveries/:delivery_id/redeliver',
      {
        config,
        schema: {
          operationId: 'redeliverWebhookDelivery',
          summary: 'Send a delivery again',
          description: 'Under the same `webhook-id`, from the beginning of the schedule.',
          tags,
          params: DeliveryParams,
          headers: idempotencyHeaders,
          body: EmptyBody,
          response: {
            202: { ...ref(DeliveryWithAttempts), examples: [exampleDetail] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, params } = request;
        const delivery = { webhookId: params.id, id: params.delivery_id };
        const sent = await deliveries.redeliver(actor, delivery, idempotencyOf(request));
        markReplayed(reply, sent);
        return reply.code(202).send(presentDetail(sent.detail));
      },
    );

    app.post(
      '/webhooks/:id/recover',
      {
        config,
        schema: {
          operationId: 'recoverWebhook',
          summary: 'Send what a webhook has missed',
          description:
            'Every event since then, up to 30 days ago, that it subscribes to and has not taken yet, also those from ' +
            'before it existed or while it was disabled. What it has taken is not sent again.',
          tags,
          params: IdParams,
          headers: idempotencyHeaders,
          body: RecoverBody,
          response: {
            202: { ...RecoverReply, examples: [{ since: '2026-11-02T08:00:00.000Z' }] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, params, body } = request;
        const since = timeOf('/since', body.since) ?? new Date();
        const missed = { webhookId: params.id, since };
        markReplayed(reply, await deliveries.recover(actor, missed, idempotencyOf(request)));
        return reply.code(202).send({ since: since.toISOString() });
      },
    );
    done();
  };
