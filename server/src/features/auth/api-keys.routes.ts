import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { idempotencyOf, markReplayed } from '../../platform/http/preconditions.ts';
import { timeOf } from '../../platform/http/query.ts';
import {
  idempotencyHeaders,
  IdParams,
  pageOf,
  problems,
  ref,
} from '../../platform/http/schemas.ts';
import {
  ApiKey,
  ApiKeyWithToken,
  CreateApiKeyBody,
  exampleApiKey,
  exampleWithToken,
  ListApiKeysQuery,
  presentApiKey,
} from './api-keys.schemas.ts';
import type { ApiKeysService } from './api-keys.service.ts';

const tags = ['api-keys'];
const config = { policy: 'admin' } as const;

/** Access for programs, given by admins. Registered under the API's prefix. */
export const apiKeysRoutes =
  ({ apiKeys }: { apiKeys: ApiKeysService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get(
      '/api-keys',
      {
        config,
        schema: {
          operationId: 'listApiKeys',
          summary: 'List API keys',
          description: 'Newest first; those that are revoked are not among them.',
          tags,
          querystring: ListApiKeysQuery,
          response: {
            200: {
              ...pageOf(ref(ApiKey)),
              examples: [{ data: [exampleApiKey], next_cursor: null }],
            },
            ...problems(403, 422),
          },
        },
      },
      async ({ actor, query: { limit = 25, cursor } }) => {
        const page = await apiKeys.list(actor, { limit, cursor });
        return { ...page, data: page.data.map(presentApiKey) };
      },
    );

    app.post(
      '/api-keys',
      {
        config,
        schema: {
          operationId: 'createApiKey',
          summary: 'Make an API key',
          description:
            'A key acts as a member of the team with a name of its own, within its role and its ' +
            'scopes. It cannot be changed: make another one, and revoke this one.',
          tags,
          headers: idempotencyHeaders,
          body: CreateApiKeyBody,
          response: {
            201: { ...ref(ApiKeyWithToken), examples: [exampleWithToken] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const { expires_at, role = 'agent', ...input } = request.body;
        const expiresAt = timeOf('/expires_at', expires_at ?? undefined);
        const made = await apiKeys.create(
          request.actor,
          { ...input, role, expiresAt },
          idempotencyOf(request),
        );
        markReplayed(reply, made);
        return reply.code(201).send({ ...presentApiKey(made.key), token: made.token });
      },
    );

    app.delete(
      '/api-keys/:id',
      {
        config,
        schema: {
          operationId: 'revokeApiKey',
          summary: 'Revoke an API key',
          description: 'It is refused within a second, on every instance; its streams end soon.',
          tags,
          params: IdParams,
          response: { 204: Type.Null({ description: 'Revoked.' }), ...problems(403, 404, 422) },
        },
      },
      async ({ actor, params }, reply) => {
        await apiKeys.revoke(actor, params.id);
        return reply.code(204).send(null);
      },
    );
    done();
  };
