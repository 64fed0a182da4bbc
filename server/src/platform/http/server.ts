import type { IncomingHttpHeaders } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { buildSerializer, buildValidator } from './compilers.ts';
import { connectionOptions, malformed, type ConnectionLimits } from './connections.ts';
import { BodyError, checkText, parseJsonBody } from './json-body.ts';
import { problemOf, type Failure } from './problem.ts';
import { createRequestLog, type RequestLogOptions } from './request-log.ts';
import { createRouteTable } from './route-table.ts';
import { NoQuery } from './schemas.ts';

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
  connections: ConnectionLimits;
  /** For every reply. */
  headers: Readonly<Record<string, string>>;
  /** Recognises the failures of the layers below; undefined means a surprise, which becomes a 500. */
  failureOf(error: unknown): FailureWithHeaders | undefined;
};

type FailureWithHeaders = Failure & {
  headers?: Record<string, string>;
  /** Has its line in the log already, or none for each. */
  isSaidElsewhere?: boolean;
};

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
  const { trustProxy, connections } = options;
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
    ...connectionOptions(connections),
    // The framework's own reply to a malformed URL is a problem document too; hooks do not see it.
    frameworkErrors: (error, request, reply) => {
      watch(request, reply);
      addHeaders(request, reply);
      sendError(error, request, reply);
    },
    routerOptions: { maxParamLength: 16_384 },
    schemaController: { compilersFactory: { buildValidator, buildSerializer } },
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
  app.server.maxConnections = connections.max;
  // 100 Continue is said when the body is wanted (see below); other expectations may be ignored.
  for (const name of ['checkContinue', 'checkExpectation']) {
    app.server.on(name, (request, response) => app.server.emit('request', request, response));
  }

  const routes = createRouteTable();
  app.addHook('onRoute', (route) => {
    routes.add(route.method, route.url);
    if (route.schema?.operationId) route.schema.querystring ??= NoQuery;
  });
  app.decorateRequest('failure');
  app.addHook('onRequest', (request, reply, done) => {
    const { headers, raw } = request;
    watch(request, reply);
    addHeaders(request, reply);
    if (closing) sendFailure(shuttingDown, reply);
    else if (headers.host === undefined && raw.httpVersion === '1.1') sendFailure(malformed, reply);
    else done();
  });
  app.addHook('preParsing', ({ headers, routeOptions }, reply, payload, done) => {
    if (isEncoded(headers)) return sendFailure(encoded, reply);
    const isTooLarge = Number(headers['content-length']) > (routeOptions.bodyLimit ?? 0);
    if (headers.expect?.toLowerCase() === '100-continue' && !isTooLarge) reply.raw.writeContinue();
    done(null, payload);
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

  function addHeaders(request: FastifyRequest, reply: FastifyReply): void {
    reply.headers(options.headers).header('x-request-id', request.id);
  }

  function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const failure: FailureWithHeaders =
      // The caller left: nobody reads this.
      (error === request.raw.errored ? malformed : undefined) ??
      failureOfRequest(error, request.routeOptions.bodyLimit) ??
      options.failureOf(error) ??
      surprise;
    sendFailure(failure, reply);
    if (failure.status >= 500 && request.failure) request.failure.error = error;
  }
  app.setErrorHandler(sendError);

  app.setNotFoundHandler((request, reply) => {
    const allow = routes.methodsOf(request.url.split('?', 1)[0] ?? '/');
    if (allow.length === 0) return sendFailure(nothingHere, reply);
    const headers = { allow: allow.join(', ') };
    const detail = `Use ${allow.join(' or ')} here.`;
    sendFailure({ status: 405, code: 'method-not-allowed', detail, headers }, reply);
  });
  return app;
}

function sendFailure(failure: FailureWithHeaders, reply: FastifyReply): void {
  const { id } = reply.request;
  const { code, isSaidElsewhere } = failure;
  reply.request.failure = { code, isSaidElsewhere };
  void reply
    .code(failure.status)
    .headers({ ...failure.headers, 'x-request-id': id })
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(problemOf(failure, id));
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

const isEncoded = ({ 'content-encoding': encoding = 'identity' }: IncomingHttpHeaders): boolean =>
  encoding.toLowerCase() !== 'identity';

const encoded: FailureWithHeaders = {
  status: 415,
  code: 'unsupported-media-type',
  detail: 'Send the body as it is, without a Content-Encoding.',
  headers: { 'accept-encoding': 'identity' },
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
    return malformed;
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
