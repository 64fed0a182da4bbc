import type { Socket } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import { codeOf, failure, type Failure } from './failure.ts';

export type OutboundRequest = {
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array;
};

/** What came back. Names of headers are in lower case; text is clean enough for any store. */
export type OutboundResponse = {
  kind: 'response';
  status: number;
  headers: Record<string, string>;
  body: string;
  /** The body went on, and the rest was not read. */
  truncated: boolean;
};

const headerBytesMax = 16_384;
const headersMax = 64;

/** They belong to the connection, and a caller's could lead a proxy to another host. */
const ownHeaders = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** One POST over a connection that is ready, which serves nothing else. */
export async function exchange(
  url: URL,
  {
    socket,
    request,
    responseBytesMax,
    signal,
  }: { socket: Socket; request: OutboundRequest; responseBytesMax: number; signal: AbortSignal },
): Promise<OutboundResponse | Failure> {
  const client = clientOf(url, socket);
  try {
    const reply = await client.request({
      method: 'POST',
      path: url.pathname + url.search,
      headers: headersSent(request.headers),
      body: request.body,
      reset: true,
      signal,
    });
    const body = await readBody(reply.body, responseBytesMax);
    return {
      kind: 'response',
      status: reply.statusCode,
      headers: headersReceived(reply.headers),
      ...body,
    };
  } catch (error) {
    return failureOf(error, { host: url.host, socket });
  } finally {
    void client.destroy();
  }
}

function clientOf(url: URL, socket: Socket): Client {
  return new Client(url.origin, {
    // The client never connects: it gets this socket, or, when that is gone, nothing.
    connect: (_options, done) =>
      queueMicrotask(() => (socket.destroyed ? done(goneError(), null) : done(null, socket))),
    allowH2: false,
    maxHeaderSize: headerBytesMax,
    // The attempt as a whole has a time limit.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

const goneError = (): Error => Object.assign(new Error('gone'), { code: 'ECONNRESET' });

const headersSent = (headers: OutboundRequest['headers']): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(headers).filter(([name]) => !ownHeaders.has(name.toLowerCase())),
  ),
  // What is not compressed cannot grow when it is read.
  'accept-encoding': 'identity',
});

const headersReceived = (headers: Dispatcher.ResponseData['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .slice(0, headersMax)
      .map(([name, value]) => [name, withoutNul([value ?? ''].flat().join(', '))]),
  );

async function readBody(
  stream: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<{ body: string; truncated: boolean }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bytesMax) break;
  }
  const truncated = bytes > bytesMax;
  const read = Buffer.concat(chunks).subarray(0, bytesMax);
  // Streaming leaves out a last character that was cut.
  const text = new TextDecoder().decode(read, { stream: truncated });
  return { body: withoutNul(text), truncated };
}

const resets = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT']);

const withoutNul = (text: string): string => text.replaceAll('\0', '\uFFFD');

function failureOf(error: unknown, { host, socket }: { host: string; socket: Socket }): Failure {
  const code = codeOf(error);
  if (code === 'UND_ERR_INVALID_ARG') {
    return failure('refused', 'a header of the request is not valid');
  }
  if (code.startsWith('ERR_SSL_')) return failure('tls', `${host} ended TLS (${code})`);
  return socket.readableEnded || resets.has(code)
    ? failure('reset', `${host} closed the connection before its response was complete (${code})`)
    : failure('protocol', `${host} answered with something that is not HTTP (${code})`);
}
