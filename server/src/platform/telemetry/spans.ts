import { SpanStatusCode, trace, type Attributes, type Span } from '@opentelemetry/api';

/** Spans cost next to nothing, and go nowhere, until `exportTraces` has been called. */
const tracer = trace.getTracer('support-assistant');

/** A step that is timed, under the one in which it happens. Attributes are ids and short words. */
export const startSpan = (name: string, attributes: Attributes): Span =>
  tracer.startSpan(name, { attributes });

/** Does `work` in a span of its own. Of an error it keeps the name: the message may have content. */
export const inSpan = <Result>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<Result>,
): Promise<Result> =>
  tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  });

export const fail = (span: Span, error: unknown): void =>
  void span.setStatus({
    code: SpanStatusCode.ERROR,
    message: error instanceof Error ? error.name : 'unknown',
  });
