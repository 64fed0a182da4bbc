import fastifyCors from '@fastify/cors';
import type { FastifyBaseLogger, FastifyRequest, RouteOptions } from 'fastify';
import type { Config } from './config.ts';
import type { Container } from './container.ts';
import { AppError, errorStatus } from './errors.ts';
import { answersRoutes } from './features/answers/answers.routes.ts';
import { Answer } from './features/answers/answers.schemas.ts';
import { AnswerTraceShape } from './features/answers/answers.trace.schemas.ts';
import { requireRole, requireScope } from './features/auth/auth.policy.ts';
import { apiKeysRoutes } from './features/auth/api-keys.routes.ts';
import { ApiKey, ApiKeyWithToken } from './features/auth/api-keys.schemas.ts';
import { authRoutes } from './features/auth/auth.routes.ts';
import { authShapes } from './features/auth/auth.schemas.ts';
import { scopeOf } from './features/auth/scopes.ts';
import { eventsRoutes } from './features/events/events.routes.ts';
import { Event } from './features/events/events.schemas.ts';
import { liveRoutes } from './features/live/live.routes.ts';
import { Presence } from './features/live/live.schemas.ts';
import { docsRoutes } from './features/operations/docs.routes.ts';
import { homeRoutes } from './features/operations/home.routes.ts';
import { metricsRoutes } from './features/operations/metrics.routes.ts';
import { operationsRoutes } from './features/operations/operations.routes.ts';
import { gapsRoutes } from './features/knowledge/gaps.routes.ts';
import { KnowledgeGap } from './features/knowledge/gaps.schemas.ts';
import { gateRoutes } from './features/knowledge/gate.routes.ts';
import { KnowledgeGate } from './features/knowledge/gate.schemas.ts';
import { importsRoutes } from './features/knowledge/imports.routes.ts';
import { ArticleImport } from './features/knowledge/imports.schemas.ts';
import { knowledgeRoutes } from './features/knowledge/knowledge.routes.ts';
import { Article, ArticleVersion, SearchResult } from './features/knowledge/knowledge.schemas.ts';
import { messagesRoutes } from './features/messages/messages.routes.ts';
import { settingsRoutes } from './features/settings/settings.routes.ts';
import { Settings } from './features/settings/settings.schemas.ts';
import { privacyRoutes } from './features/privacy/privacy.routes.ts';
import { PersonExport } from './features/privacy/privacy.schemas.ts';
import { ticketsRoutes } from './features/tickets/tickets.routes.ts';
import {
  AnswerLink,
  Citation,
  Message,
  Ticket,
  TicketWithNewestMessages,
} from './features/tickets/tickets.schemas.ts';
import { usersRoutes } from './features/users/users.routes.ts';
import { usersShapes } from './features/users/users.schemas.ts';
import { deliveriesRoutes } from './features/webhooks/deliveries.routes.ts';
import { Delivery, DeliveryWithAttempts } from './features/webhooks/deliveries.schemas.ts';
import { webhooksDocument } from './features/webhooks/payload.schemas.ts';
import { webhooksRoutes } from './features/webhooks/webhooks.routes.ts';
import { Webhook, WebhookWithSecret } from './features/webhooks/webhooks.schemas.ts';
import { IdempotencyError } from './platform/database/idempotency.ts';
import { CursorError } from './platform/database/page.ts';
import { isUnavailable } from './platform/database/transaction.ts';
import { VersionMismatchError } from './platform/database/version.ts';
import { OverloadError, registerAdmission } from './platform/http/admission.ts';
import { registerOpenApi } from './platform/http/openapi.ts';
import { etagOf, IdempotencyKeyError } from './platform/http/preconditions.ts';
import { networkOf, RateLimitError } from './platform/http/request-limits.ts';
import { registerRequestSpans } from './platform/http/request-spans.ts';
import { Problem } from './platform/http/schemas.ts';
import { securityHeaders } from './platform/http/security-headers.ts';
import { createHttpServer, type HttpServer } from './platform/http/server.ts';

const shapes = [
  Problem,
  ...authShapes,
  ...usersShapes,
  ApiKey,
  ApiKeyWithToken,
  Event,
  Presence,
  AnswerLink,
  Citation,
  Message,
  Ticket,
  TicketWithNewestMessages,
  Answer,
  AnswerTraceShape,
  PersonExport,
  Article,
  ArticleVersion,
  ArticleImport,
  SearchResult,
  KnowledgeGap,
  KnowledgeGate,
  Settings,
  Webhook,
  WebhookWithSecret,
  Delivery,
  DeliveryWithAttempts,
];

/** The HTTP server with every feature's routes, ready to listen. */
export async function createApp(
  config: Config,
  container: Container,
  logger: FastifyBaseLogger,
): Promise<HttpServer> {
  const { gaps, gate, settings, webhooks, deliveries } = container;
  const { auth, apiKeys, credentials, passwordResets, events, users, knowledge } = container;
  const { imports, tickets, answers, messages, exporting, operations, metrics } = container;
  const { watch } = container;
  const { answerStreams, eventStreams, liveStreams, presence, requestLimits } = container;
  const userOf = (request: FastifyRequest): string | undefined => request.actor?.id;
  const { trustProxy, connections } = config;
  const app = createHttpServer({
    logger,
    trustProxy,
    connections,
    headers: securityHeaders({ isHttps: config.publicUrl.startsWith('https:') }),
    failureOf,
    userOf,
    onEnded: watch.request,
  });
  if (config.tracesUrl) registerRequestSpans(app, { userOf });

  requirePolicies(app);
  registerAdmission(app, config.admission);
  for (const shape of shapes) app.addSchema(shape);
  await app.register(fastifyCors, {
    origin: [...config.corsOrigins],
    credentials: false,
    // OPTIONS that is no preflight gets the same reply, and not one of the plugin's own.
    strictPreflight: false,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: [
      'ETag',
      'Location',
      'Retry-After',
      'RateLimit',
      'RateLimit-Policy',
      'X-Request-Id',
      'Idempotent-Replayed',
    ],
  });
  await registerOpenApi(app, {
    serverUrl: '/',
    logInUrl: '/api/v1/auth/login',
    outgoing: webhooksDocument,
    scopeOf,
  });

  app.decorateRequest('actor');
  app.addHook('onRequest', async (request, reply) => {
    if (operations.isDraining()) reply.header('connection', 'close');
    const policy = request.routeOptions.config.policy ?? 'public';
    const token = policy === 'public' ? undefined : bearerToken(request);
    const isAnonymous = policy === 'public' || (policy === 'anyone' && token === undefined);
    const actor = isAnonymous
      ? undefined
      : await credentials.authenticate(token ?? '').catch(onRefused);
    await requestLimits.count(request, reply, actor?.id ?? networkOf(request.ip));
    if (!actor) return;
    request.actor = actor;
    requireRole(actor, policy);
    requireScope(actor, scopeOf(request.routeOptions) ?? null);

    /** Who guesses tokens is counted too. */
    async function onRefused(refusal: unknown): Promise<never> {
      await requestLimits.count(request, reply, networkOf(request.ip));
      throw refusal;
    }
  });

  await app.register(homeRoutes);
  await app.register(operationsRoutes({ operations }));
  await app.register(metricsRoutes({ metrics }));
  await app.register(docsRoutes({ docsUrl: '/api/v1' }));
  await app.register(
    (api, _options, done) => {
      void api.register(authRoutes({ auth, passwordResets, publicUrl: config.publicUrl }));
      void api.register(usersRoutes({ users }));
      void api.register(apiKeysRoutes({ apiKeys }));
      void api.register(privacyRoutes({ exporting }));
      void api.register(eventsRoutes({ events }));
      void api.register(liveRoutes({ presence, liveStreams }));
      void api.register(ticketsRoutes({ tickets }));
      void api.register(
        messagesRoutes({ messages, tickets, answers, answerStreams, eventStreams }),
      );
      void api.register(answersRoutes({ answers, answerStreams }));
      void api.register(knowledgeRoutes({ knowledge }));
      void api.register(importsRoutes({ imports }));
      void api.register(gapsRoutes({ gaps }));
      void api.register(gateRoutes({ gate }));
      void api.register(settingsRoutes({ settings }));
      void api.register(webhooksRoutes({ webhooks }));
      void api.register(deliveriesRoutes({ webhooks, deliveries }));
      done();
    },
    { prefix: '/api/v1' },
  );
  return app;
}

/** A server with a route that nobody thought about who may call, and with which keys, does not start. */
function requirePolicies(app: HttpServer): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => void routes.push(route));
  // Looked at last, when each plugin has had its say on the routes within it.
  app.addHook('onReady', (done) => {
    const problems = routes.flatMap(problemsOfRoute);
    done(problems.length > 0 ? new Error(problems.join('\n')) : undefined);
  });
}

function problemsOfRoute(route: RouteOptions): string[] {
  const { method, url, config, schema } = route;
  const methods = [method].flat();
  // The preflight route of the CORS plugin answers everybody, by its nature.
  if (methods.includes('OPTIONS')) return [];
  const name = `${methods.join(', ')} ${url}`;
  const writes = methods.some((method) => ['POST', 'PUT', 'PATCH'].includes(method));
  return [
    ...(config?.policy ? [] : [`${name} has no policy`]),
    ...(config?.policy === 'public' || scopeOf(route) !== undefined
      ? []
      : [`${name} has no scope`]),
    ...(writes && !schema?.body ? [`${name} has no schema for its body`] : []),
  ];
}

function bearerToken(request: FastifyRequest): string | undefined {
  const [, token] = /^Bearer +([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return token;
}

/** The failures that the layers below HTTP report, as HTTP sees them. */
function failureOf(error: unknown) {
  if (error instanceof AppError) {
    const { status, code, message: detail, details } = error;
    return { status, code, detail, ...details };
  }
  if (error instanceof RateLimitError) {
    return { status: 429, code: 'rate-limited', detail: error.message, headers: error.headers };
  }
  if (error instanceof OverloadError) {
    const { message: detail, headers } = error;
    return { status: 503, code: 'overloaded', detail, headers, isSaidElsewhere: true };
  }
  if (error instanceof VersionMismatchError) {
    const headers = { etag: etagOf(error.version) };
    return { status: 412, code: 'version-mismatch', detail: error.message, headers };
  }
  if (error instanceof CursorError) {
    return { status: 422, code: 'invalid-cursor', detail: error.message };
  }
  if (error instanceof IdempotencyError) {
    const code = `idempotency-key-${error.reason}` as const;
    return { status: errorStatus[code], code, detail: error.message };
  }
  if (error instanceof IdempotencyKeyError) {
    return {
      status: 422,
      code: 'validation-failed',
      detail: error.message,
      errors: [{ pointer: 'Idempotency-Key', code: 'pattern', message: error.message }],
    };
  }
  if (isUnavailable(error)) {
    return {
      status: 503,
      code: 'unavailable',
      detail: 'The database does not answer just now; try again shortly.',
      headers: { 'retry-after': '2' },
    };
  }
  return undefined;
}
