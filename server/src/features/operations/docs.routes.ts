import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';

/** The OpenAPI document. The pages that show it come with the shop window. */
export const docsRoutes =
  ({ docsUrl }: { docsUrl: string }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      `${docsUrl}/openapi.json`,
      {
        config: { policy: 'public' },
        schema: { hide: true, response: { 200: Type.Unsafe<object>({}) } },
      },
      (_request, reply) => reply.serializer(JSON.stringify).send(app.swagger()),
    );
    await Promise.resolve();
  };
