import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  etagOf,
  idempotencyOf,
  ifMatchOf,
  markReplayed,
} from '../../platform/http/preconditions.ts';
import {
  EmptyBody,
  idempotencyHeaders,
  IdParams,
  ifMatchHeaders,
  pageOf,
  problems,
  ref,
} from '../../platform/http/schemas.ts';
import {
  CreateWebhookBody,
  exampleWebhook,
  exampleWithSecret,
  ListWebhooksQuery,
  presentWebhook,
  UpdateWebhookBody,
  Webhook,
  WebhookWithSecret,
} from './webhooks.schemas.ts';
import type { WebhooksService } from './webhooks.service.ts';

const tags = ['webhooks'];
const config = { policy: 'admin' } as const;

/** Where events go, for admins. Registered under the API's prefix. */
export const webhooksRoutes =
  ({ webhooks }: { webhooks: WebhooksService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get(
      '/webhooks',
      {
        config,
        schema: {
          operationId: 'listWebhooks',
          summary: 'List webhooks',
          tags,
          querystring: ListWebhooksQuery,
          response: {
            200: {
              ...pageOf(ref(Webhook)),
              examples: [{ data: [exampleWebhook], next_cursor: null }],
            },
            ...problems(403, 422),
          },
        },
      },
      async ({ actor, query: { limit = 25, cursor } }) => {
        const page = await webhooks.list(actor, { limit, cursor });
        return { ...page, data: page.data.map(presentWebhook) };
      },
    );

    app.post(
      '/webhooks',
      {
        config,
        schema: {
          operationId: 'createWebhook',
          summary: 'Add a webhook',
          description:
            'Every event it subscribes to is POSTed there as JSON, signed as Standard Webhooks ' +
            'describe it, and tried again until it is taken: ten times within three days. Reply ' +
            'with 2xx within 15 seconds; 410 disables the webhook.',
          tags,
          headers: idempotencyHeaders,
          body: CreateWebhookBody,
          response: {
            201: { ...ref(WebhookWithSecret), examples: [exampleWithSecret] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, body } = request;
        const created = await webhooks.create(actor, body, idempotencyOf(request));
        const { webhook, secret } = created;
        markReplayed(reply, created);
        return reply
          .code(201)
          .header('location', `${app.prefix}/webhooks/${webhook.id}`)
          .header('etag', etagOf(webhook.version))
          .send({ ...presentWebhook(webhook), secret });
      },
    );

    app.get(
      '/webhooks/:id',
      {
        config,
        schema: {
          operationId: 'getWebhook',
          summary: 'Read a webhook',
          tags,
          params: IdParams,
          response: {
            200: { ...ref(Webhook), examples: [exampleWebhook] },
            ...problems(403, 404, 422),
          },
        },
      },
      async ({ actor, params }, reply) => {
        const webhook = await webhooks.get(actor, params.id);
        return reply.header('etag', etagOf(webhook.version)).send(presentWebhook(webhook));
      },
    );

    app.patch(
      '/webhooks/:id',
      {
        config,
        schema: {
          operationId: 'updateWebhook',
          summary: 'Change a webhook',
          tags,
          params: IdParams,
          headers: ifMatchHeaders,
          body: UpdateWebhookBody,
          response: {
            200: { ...ref(Webhook), examples: [exampleWebhook] },
            ...problems(403, 404, 412, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, params, body } = request;
        const webhook = await webhooks.update(actor, params.id, body, ifMatchOf(request));
        return reply.header('etag', etagOf(webhook.version)).send(presentWebhook(webhook));
      },
    );

    app.delete(
      '/webhooks/:id',
      {
        config,
        schema: {
          operationId: 'removeWebhook',
          summary: 'Remove a webhook with its log',
          tags,
          params: IdParams,
          headers: ifMatchHeaders,
          response: { 204: Type.Null(), ...problems(403, 404, 412, 422) },
        },
      },
      async (request, reply) => {
        await webhooks.remove(request.actor, request.params.id, ifMatchOf(request));
        return reply.code(204).send(null);
      },
    );

    app.post(
      '/webhooks/:id/rotate-secret',
      {
        config,
        schema: {
          operationId: 'rotateWebhookSecret',
          summary: 'Give a webhook a new secret',
          description: 'For 24 hours every attempt carries a signature by the old one too.',
          tags,
          params: IdParams,
          headers: idempotencyHeaders,
          body: EmptyBody,
          response: {
            200: { ...ref(WebhookWithSecret), examples: [exampleWithSecret] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, params } = request;
        const rotated = await webhooks.rotateSecret(actor, params.id, idempotencyOf(request));
        const { webhook, secret } = rotated;
        markReplayed(reply, rotated);
        return reply
          .header('etag', etagOf(webhook.version))
          .send({ ...presentWebhook(webhook), secret });
      },
    );
    done();
  };
