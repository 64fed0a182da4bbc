import { STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionError, FastifyHttpOptions, FastifyInstance } from 'fastify';
import { problemOf, type Failure } from './problem.ts';

/** How many connections there may be, and how long each may take for what it does. */
export type ConnectionLimits = {
  max: number;
  /** Until the headers of a request are complete; also for a connection that says nothing at all. */
  headersMs: number;
  /** Until the body is complete too. */
  requestMs: number;
  /** Between two requests. */
  keepAliveMs: number;
  /** While nothing moves in either direction, such as a reply that nobody reads. */
  idleMs: number;
};

/** How often connections are looked at that are over their time; Node's 30 s would be half a minute late. */
const checkMs = 500;

/** The part of the server's options that slow and broken connections meet. */
export const connectionOptions = (limits: ConnectionLimits) =>
  ({
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionTimeout: limits.idleMs,
    http: {
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: checkMs,
      // Its own reply would be no problem document.
      requireHostHeader: false,
    },
    clientErrorHandler: refuseConnection,
  }) satisfies FastifyHttpOptions<Server>;

/** Replies to what is no HTTP request, or does not become one in time, and hangs up. */
function refuseConnection(this: FastifyInstance, error: ConnectionError, socket: Socket): void {
  this.log.debug({ code: error.code }, 'no request');
  // As Node does it: into a reply that has begun nothing else may be written.
  const { _httpMessage: begun } = socket as { _httpMessage?: ServerResponse | null };
  if (socket.writable && !begun?.headersSent) socket.write(replyTo(error.code));
  socket.destroy(error);
}

function replyTo(code: string): string {
  const id = crypto.randomUUID();
  const failure = failures[code] ?? malformed;
  const body = JSON.stringify(problemOf(failure, id));
  return [
    `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${id}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

export const malformed: Failure = {
  status: 400,
  code: 'invalid-request',
  detail: 'The request is malformed.',
};

const failures: Record<string, Failure> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request-timeout',
    detail: 'The request did not come to its end in time.',
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers-too-large',
    detail: 'The headers and the URL together are larger than 16 KiB.',
  },
};
