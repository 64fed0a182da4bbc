import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
} from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { kindOf } from './request-limits.ts';

/**
 * A span for each request, under the one that the caller names in `traceparent`. What the request
 * brings about is under it.
 */
export function registerRequestSpans(
  app: FastifyInstance,
  { userOf }: { userOf(request: FastifyRequest): string | undefined },
): void {
  const tracer = trace.getTracer('support-assistant');
  const contexts = new WeakMap<FastifyRequest, Context>();

  app.addHook('onRequest', (request, reply, done) => {
    if (kindOf(request) === 'unlimited') return done();
    const { method, id, routeOptions } = request;
    const caller = propagation.extract(ROOT_CONTEXT, request.headers);
    const attributes = {
      'http.request.method': method,
      'http.route': routeOptions.url ?? 'none',
      'request.id': id,
    };
    const name = `${method} ${attributes['http.route']}`;
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, caller);
    reply.raw.once('close', () => {
      const { statusCode: status } = reply;
      span.setAttribute('http.response.status_code', status);
      const user = userOf(request);
      if (user !== undefined) span.setAttribute('user.id', user);
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    const inside = trace.setSpan(caller, span);
    contexts.set(request, inside);
    context.with(inside, done);
  });
  // The body came on the connection, which knows nothing of the request.
  app.addHook('preValidation', (request, _reply, done) => {
    context.with(contexts.get(request) ?? ROOT_CONTEXT, done);
  });
}
