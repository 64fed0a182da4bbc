import { connect } from 'node:net';
import Fastify from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { createEventStreams, type EventStreamOptions } from './event-stream.ts';

const options: EventStreamOptions = {
  keepAliveMs: 60_000,
  stallMs: 60_000,
  bufferBytesMax: 256 * 1024,
  lifeMs: 60_000,
  recheckMs: 60_000,
};

type Served = { url: URL; ended: Promise<string>; close(): Promise<void> };
let served: Served | undefined;
afterEach(() => served?.close());

/** A server whose every reply is the stream of `frames`; `ended` tells how its generator ended. */
async function serve(
  frames: (signal: AbortSignal) => AsyncIterable<string>,
  change: Partial<EventStreamOptions> & { isStillAllowed?: () => Promise<boolean> } = {},
): Promise<Served & { streams: ReturnType<typeof createEventStreams> }> {
  const app = Fastify({ forceCloseConnections: true });
  const streams = createEventStreams({ ...options, ...change });
  const ended = Promise.withResolvers<string>();
  app.get('/', (_request, reply) =>
    streams.send(
      reply,
      async function* (signal) {
        try {
          yield* frames(signal);
        } finally {
          ended.resolve(signal.aborted ? 'left' : 'complete');
        }
      },
      change.isStillAllowed,
    ),
  );
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const close = async () => {
    streams.close();
    await app.close();
  };
  served = { url, ended: ended.promise, close };
  return { ...served, streams };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

async function* waiting(signal: AbortSignal): AsyncGenerator<string> {
  yield 'data: 1\n\n';
  await aborted(signal);
}

test('a stream tells how soon to come back, then what it has, then ends', async () => {
  const { url, ended, streams } = await serve(async function* () {
    yield 'data: 1\n\n';
    yield 'data: 2\n\n';
  });
  const reply = await fetch(url);
  expect(reply.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(reply.headers.get('cache-control')).toBe('no-store');
  expect(await reply.text()).toBe('retry: 2000\n\ndata: 1\n\ndata: 2\n\n');
  expect(await ended).toBe('complete');
  expect(streams.count()).toBe(0);
});

test('a reader who leaves wakes a generator that waits for news', async () => {
  const { url, ended } = await serve(waiting);
  const leaving = new AbortController();
  const reply = await fetch(url, { signal: leaving.signal });
  await reply.body?.getReader().read();
  leaving.abort();
  expect(await ended).toBe('left');
});

test('an idle stream is kept alive by comments', async () => {
  const { url } = await serve(waiting, { keepAliveMs: 20, stallMs: 10_000, recheckMs: 20 });
  const reply = await fetch(url);
  const reader = reply.body?.pipeThrough(new TextDecoderStream()).getReader();
  let body = '';
  while (!body.includes(': keep-alive')) body += (await reader?.read())?.value ?? '';
  await reader?.cancel();
});

test('a stream ends when its right to go on does, and at the end of its life', async () => {
  let allowed = true;
  const revoked = await serve(waiting, { recheckMs: 20, isStillAllowed: async () => allowed });
  const body = fetch(revoked.url).then((reply) => reply.text());
  allowed = false;
  expect(await body).toBe('retry: 2000\n\ndata: 1\n\n');
  await revoked.close();

  const old = await serve(waiting, { lifeMs: 30, recheckMs: 20 });
  expect(await (await fetch(old.url)).text()).toBe('retry: 2000\n\ndata: 1\n\n');
});

test('a reader who takes nothing is dropped, and costs bounded memory until then', async () => {
  let produced = 0;
  const frame = `data: ${'x'.repeat(16_000)}\n\n`;
  const { url, ended } = await serve(
    async function* (signal) {
      while (!signal.aborted) {
        produced += frame.length;
        yield frame;
      }
    },
    { stallMs: 100 },
  );
  const socket = connect(Number(url.port), url.hostname);
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  socket.pause();
  socket.on('error', () => undefined);
  expect(await ended).toBe('left');
  // What the kernel's buffers took, and little more: production stops when the socket is full.
  expect(produced).toBeLessThan(32 * 1024 * 1024);
  socket.destroy();
});
