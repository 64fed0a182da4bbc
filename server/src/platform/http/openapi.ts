import fastifySwagger from '@fastify/swagger';
import type { RouteOptions } from 'fastify';
import {
  documentedReplies,
  withNamedShapes,
  withOutgoing,
  type Document,
} from './openapi-document.ts';
import type { HttpServer } from './server.ts';

const description = `Customers open tickets; an AI assistant answers them live, from the company's own
articles, with citations; people take over when they are needed.

Errors are RFC 9457 problem documents with a stable \`code\`. Lists are paged with an opaque \`cursor\`.
POSTs that create or start take an \`Idempotency-Key\`; objects with a version take \`If-Match\`.
Answers stream as server-sent events and resume with \`Last-Event-ID\`.`;

type Security = Record<string, string[]>[];

/** Two ways to the same access token: let the page sign in, or paste one. */
const signedIn: Security = [{ password: [] }, { bearer: [] }];
const nobody = {};

/** Who may call a route, as the document says it; a key must have the scope. */
function securityOf(policy: string | undefined, scope: string | null | undefined): Security {
  if (policy === 'public') return [];
  const known = scope ? [...signedIn, { apiKey: [scope] }] : signedIn;
  return policy === 'anyone' ? [nobody, ...known] : known;
}

/** Serves the OpenAPI document, made from the same schemas that validate and serialise. */
export async function registerOpenApi(
  app: HttpServer,
  options: {
    serverUrl: string;
    logInUrl: string;
    /** What the server sends to others, and the shapes of that. */
    outgoing: { webhooks: Record<string, object>; schemas: Record<string, object> };
    /** What an API key needs for a route; null when none will do. */
    scopeOf: (route: RouteOptions) => string | null | undefined;
  },
): Promise<void> {
  const { serverUrl, logInUrl, outgoing, scopeOf } = options;
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
        { name: 'api-keys', description: 'Access for programs.' },
        { name: 'tickets', description: 'What customers ask.' },
        { name: 'messages', description: 'The conversation of a ticket.' },
        { name: 'answers', description: 'What the assistant says, live.' },
        { name: 'knowledge', description: 'The articles that it answers from.' },
        { name: 'events', description: 'What happened, in order.' },
        { name: 'webhooks', description: 'Events, sent to other systems.' },
        { name: 'workspace', description: 'What holds for everybody.' },
        { name: 'operations', description: 'Health and metrics.' },
      ],
      components: {
        securitySchemes: {
          password: {
            type: 'oauth2',
            description: 'Signs in with e-mail and password; leave client id and secret empty.',
            flows: { password: { tokenUrl: logInUrl, scopes: {} } },
          },
          bearer: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'The `access_token` of a sign-in.',
          },
          apiKey: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'sa_…',
            description: 'A key for programs, with the scope that stands beside it.',
          },
        },
      },
      security: signedIn,
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `Shape${index}`,
    },
    transform: ({ schema, url, route }) => {
      const security = securityOf(route.config?.policy, scopeOf(route));
      const response = documentedReplies(schema?.response);
      return { schema: { ...schema, response, security }, url };
    },
    transformObject: (document) =>
      'openapiObject' in document
        ? withOutgoing(withNamedShapes(document.openapiObject as Document), outgoing)
        : document.swaggerObject,
  });
}
