import fastifySwagger from '@fastify/swagger';
import type { HttpServer } from './server.ts';

const description = `Customers open tickets; an AI assistant answers them live, from the company's own
articles, with citations; people take over when they are needed.

Errors are RFC 9457 problem documents with a stable \`code\`. Lists are paged with an opaque \`cursor\`.
POSTs that create take an \`Idempotency-Key\`; objects with a version take \`If-Match\`.
Answers stream as server-sent events and resume with \`Last-Event-ID\`.`;

/** Serves the OpenAPI document, made from the same schemas that validate and serialise. */
export async function registerOpenApi(
  app: HttpServer,
  { serverUrl }: { serverUrl: string },
): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Support Assistant',
        version: '0.1.0',
        description,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: serverUrl }],
      tags: [
        { name: 'auth', description: 'Signing up, in and out.' },
        { name: 'me', description: 'The own account and its sessions.' },
        { name: 'users', description: 'The people of the workspace.' },
        { name: 'tickets', description: 'What customers ask.' },
        { name: 'messages', description: 'The conversation of a ticket.' },
        { name: 'answers', description: 'What the assistant says, live.' },
        { name: 'knowledge', description: 'The articles that it answers from.' },
        { name: 'operations', description: 'Health.' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        },
      },
      security: [{ bearer: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `Shape${index}`,
    },
    transform: ({ schema, url, route }) => {
      const policy = route.config?.policy;
      const security: Record<string, string[]>[] | undefined =
        policy === 'public' ? [] : policy === 'anyone' ? [{ bearer: [] }, {}] : undefined;
      return { schema: { ...schema, ...(security && { security }) }, url };
    },
  });
}
