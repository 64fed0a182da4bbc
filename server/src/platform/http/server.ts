import { AjvCompiler, type BuildCompilerFromPool } from '@fastify/ajv-compiler';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { OverloadError } from './admission.ts';
import { BodyError, checkText, parseJsonBody } from './json-body.ts';
import { problemOf, type Failure } from './problem.ts';
import { createRequestLog, type RequestLogOptions } from './request-log.ts';
import { createRouteTable } from './route-table.ts';
import { isSingleLine } from './single-line.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How many values a JSON body of this route may have; 1,000 unless told. */
    jsonValuesMax?: number;
  }
}

export type HttpServerOptions = RequestLogOptions & {
  logger: FastifyBaseLogger;
  /** How many proxies stand in front, or the addresses that they have. */
  trustProxy: false | number | string[];
  /** Recognises the failures of the layers below; undefined means a surprise, which becomes a 500. */
  failureOf(error: unknown): FailureWithHeaders | undefined;
};

type FailureWithHeaders = Failure & { headers?: Record<string, string> };

export type HttpServer = ReturnType<typeof createHttpServer>;

const bodyBytesMax = 1024 * 1024;
/** How long closing waits for requests in hand. */
const closeMsMax = 5_000;
const closeSweepMs = 20;
const requestIdPattern = /^[\w.:-]{1,64}$/;

/**
 * A Fastify instance with this API's conventions: strict bodies, problem documents for every error,
 * 405 with `Allow`, a request id on every reply.
 */
export function createHttpServer(options: HttpServerOptions) {
  const { trustProxy } = options;
  const watch = createRequestLog(options);
  const app = Fastify({
    loggerInstance: options.logger,
    trustProxy: typeof trustProxy === 'number' ? (_address, hop) => hop < trustProxy : trustProxy,
    bodyLimit: bodyBytesMax,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && requestIdPattern.test(given)
        ? given
        : crypto.randomUUID();
    },
    // Its lines have the whole address; ours is in request-log.ts.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request' }),
    // Requests in hand get their reply; `endConnections` below does the rest.
    forceCloseConnections: 'idle',
    // Its own reply would be no problem document: see `closing` below.
    return503OnClosing: false,
    requestTimeout: 30_000,
    // The framework's own reply to a malformed URL is a problem document too; hooks do not see it.
    frameworkErrors: (error, request, reply) => {
      watch(request, reply);
      sendError(error, request, reply);
    },
    routerOptions: { maxParamLength: 16_384 },
    schemaController: { compilersFactory: { buildValidator } },
  }).withTypeProvider<TypeBoxTypeProvider>();

  let closing = false;
  let endConnections: NodeJS.Timeout | undefined;
  app.addHook('preClose', (done) => {
    closing = true;
    const closeBy = performance.now() + closeMsMax;
    // A connection whose reply ends only now would wait for its next request.
    endConnections = setInterval(() => {
      if (performance.now() > closeBy) app.server.closeAllConnections();
      else if (!app.server.listening) app.server.closeIdleConnections();
    }, closeSweepMs);
    done();
  });
  app.addHook('onClose', (_app, done) => {
    clearInterval(endConnections);
    done();
  });
  const routes = createRouteTable();
  app.addHook('onRoute', (route) => routes.add(route.method, route.url));
  app.decorateRequest('failure');
  app.addHook('onRequest', (request, reply, done) => {
    watch(request, reply);
    reply.header('x-request-id', request.id);
    if (closing) sendFailure(shuttingDown, request, reply);
    else done();
  });
  app.addHook('preValidation', (request, _reply, done) => {
    for (const [name, value] of Object.entries(request.query as Record<string, unknown>)) {
      for (const text of [value].flat()) if (typeof text === 'string') checkText(text, `?${name}`);
    }
    done();
  });

  app.removeContentTypeParser(['text/plain', 'application/json']);
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const { jsonValuesMax } = request.routeOptions.config;
    try {
      done(null, body.length === 0 ? undefined : parseJsonBody(body as Buffer, jsonValuesMax));
    } catch (error) {
      done(error as Error);
    }
  });

  function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const failure =
      failureOfRequest(error, request.routeOptions.bodyLimit) ??
      options.failureOf(error) ??
      surprise;
    sendFailure(failure, request, reply);
    // Of an overload there is nothing more to say, and least of all then.
    const isSurprise = failure.status >= 500 && !(error instanceof OverloadError);
    if (isSurprise) request.failure = { code: failure.code, error };
  }
  app.setErrorHandler(sendError);

  app.setNotFoundHandler((request, reply) => {
    const allow = routes.methodsOf(request.url.split('?', 1)[0] ?? '/');
    if (allow.length === 0) return sendFailure(nothingHere, request, reply);
    const headers = { allow: allow.join(', ') };
    const detail = `Use ${allow.join(' or ')} here.`;
    sendFailure({ status: 405, code: 'method-not-allowed', detail, headers }, request, reply);
  });
  return app;
}

function sendFailure(
  failure: FailureWithHeaders,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  request.failure = { code: failure.code };
  void reply
    .code(failure.status)
    .headers(failure.headers ?? {})
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(problemOf(failure, request.id));
}

const nothingHere: Failure = {
  status: 404,
  code: 'not-found',
  detail: 'There is nothing here for you.',
};

const surprise: Failure = {
  status: 500,
  code: 'internal-error',
  detail: 'Something went wrong on our side. The request id leads to it in our log.',
};

const shuttingDown: FailureWithHeaders = {
  status: 503,
  code: 'shutting-down',
  detail: 'This instance is stopping; another one, or the same one shortly, will answer.',
  headers: { 'retry-after': '2', connection: 'close' },
};

/** Failures that the HTTP layer itself found. */
function failureOfRequest(error: unknown, bodyLimit = bodyBytesMax): Failure | undefined {
  if (error instanceof BodyError) {
    if (error.kind === 'unparseable') {
      return { status: 400, code: 'invalid-json', detail: error.message };
    }
    return unprocessable([{ pointer: error.pointer, code: 'text', message: error.message }]);
  }
  const { code, validation, validationContext, statusCode } = error as Partial<FastifyError>;
  if (validation) {
    // A malformed id is an object that is not there.
    if (validationContext === 'params') return nothingHere;
    return unprocessable(
      validation.map((problem) => ({
        pointer: pointerOf(problem, validationContext),
        code: problem.keyword,
        message: sentenceOf(problem),
      })),
    );
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const limit = `${bodyLimit / 1024 / 1024} MiB`;
    return { status: 413, code: 'body-too-large', detail: `The body is larger than ${limit}.` };
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return {
      status: 415,
      code: 'unsupported-media-type',
      detail: 'Send the body as application/json.',
    };
  }
  if (code?.startsWith('FST_ERR') && statusCode && statusCode < 500) {
    return { status: 400, code: 'invalid-request', detail: 'The request is malformed.' };
  }
  return undefined;
}

type ValidationProblem = NonNullable<FastifyError['validation']>[number];

const unprocessable = (errors: NonNullable<Failure['errors']>): Failure => ({
  status: 422,
  code: 'validation-failed',
  detail: `${errors.length === 1 ? 'One value is' : 'Some values are'} not acceptable; see errors.`,
  errors,
});

function pointerOf({ instancePath, params }: ValidationProblem, context?: string): string {
  const name = params['additionalProperty'] ?? params['missingProperty'];
  const path = typeof name === 'string' ? `${instancePath}/${name}` : instancePath;
  return context === 'querystring' ? `?${path.slice(1)}` : path;
}

function sentenceOf({ keyword, params, message = '' }: ValidationProblem): string {
  if (keyword === 'additionalProperties') return 'This field does not exist or cannot be set here.';
  if (keyword === 'enum') {
    const { allowedValues } = params as { allowedValues: unknown[] };
    return `must be one of: ${allowedValues.join(', ')}`;
  }
  return message;
}

/** One for all plugins: it keeps the validators that it has made for the same shapes. */
const compilers = AjvCompiler();

/** Bodies are taken as they are; what comes as text (query, path, headers) may become a number or a list. */
const buildValidator: BuildCompilerFromPool = (externalSchemas) => {
  const build = (coerceTypes: false | 'array') =>
    compilers(externalSchemas, {
      customOptions: {
        removeAdditional: false,
        useDefaults: true,
        allErrors: false,
        coerceTypes,
        formats: { 'single-line': isSingleLine },
      },
    });
  const strict = build(false);
  const coercing = build('array');
  return ((route: RouteSchemaPart) =>
    (route.httpPart === 'body' ? strict : coercing)(route)) as typeof strict;
};

type RouteSchemaPart = Record<string, unknown> & { httpPart?: string };
