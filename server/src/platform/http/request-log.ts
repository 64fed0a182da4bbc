import type { FastifyReply, FastifyRequest } from 'fastify';
import { kindOf, type RequestKind } from './request-limits.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What went wrong, for the log: the code that the caller got, and the surprise behind it. */
    failure?: Failed;
  }
}

type Failed = {
  code: string;
  /** Has its line in the log already, or none for each. */
  isSaidElsewhere?: boolean | undefined;
  error?: unknown;
};

/** A request that has ended. `route` is the pattern, so there are as many as there are routes. */
export type EndedRequest = {
  method: string;
  route: string;
  status: number;
  kind: RequestKind | 'unlimited';
  /** That of the error which was replied, if it was one. */
  code: string | undefined;
  durationMs: number;
  /** A stream lasts as long as its reader stays: its duration says nothing of the server. */
  isStream: boolean;
};

export type RequestLogOptions = {
  /** The id of who asked, when that is known. */
  userOf(request: FastifyRequest): string | undefined;
  onEnded?(ended: EndedRequest): void;
};

/** One line for each request when it is over: never its address, which has ids and what was searched. */
export const createRequestLog = ({ userOf, onEnded }: RequestLogOptions) =>
  function watch(request: FastifyRequest, reply: FastifyReply): void {
    const startedAt = performance.now();
    reply.raw.once('close', () => {
      const { method, routeOptions, failure } = request;
      const kind = kindOf(request);
      const { statusCode: status } = reply;
      const ended = {
        method,
        route: routeOptions.url ?? 'none',
        status,
        durationMs: Math.round((performance.now() - startedAt) * 1_000) / 1_000,
      };
      const hasLeft = !reply.raw.writableEnded;
      const { code, error, isSaidElsewhere } = failure ?? {};
      // What watches the server asks every few seconds, and says nothing new.
      const isQuiet = isSaidElsewhere === true || (kind === 'unlimited' && status < 500);
      request.log[isQuiet ? 'debug' : levelOf(status)](
        { ...ended, user: userOf(request), code, error, ...(hasLeft && { hasLeft }) },
        'request',
      );
      onEnded?.({ ...ended, kind, code, isStream: isStream(reply) });
    });
  };

/** Only a surprise is an error. */
function levelOf(status: number): 'error' | 'warn' | 'info' {
  if (status >= 500) return status === 500 ? 'error' : 'warn';
  return 'info';
}

const isStream = (reply: FastifyReply): boolean =>
  String(reply.getHeader('content-type')).startsWith('text/event-stream');
