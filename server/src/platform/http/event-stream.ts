import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

const keepAliveFrame = ': keep-alive\n\n';
/** A browser that lost us tries again after this long. */
const reconnectMs = 2_000;

export type EventStreamOptions = {
  keepAliveMs: number;
  /** A reader that takes nothing for this long is dropped. */
  stallMs: number;
  /** A reader this far behind is dropped. */
  bufferBytesMax: number;
  /** No stream lives longer than this; its reader comes back. */
  lifeMs: number;
  /** How often a stream's right to go on is looked at again. */
  recheckMs: number;
};

/** One reader's stream, to be written to for as long as the reader is there. */
export type EventSink = {
  /** False when the reader has enough for now: what waits for `wanted` bounds what is kept for it. */
  push(frame: string | Uint8Array): boolean;
  /** Resolves when the reader takes more, or has left. */
  wanted(): Promise<void>;
  /** Aborted when the reader has left or the stream was ended. */
  readonly signal: AbortSignal;
  /** Ends the stream behind what was pushed. */
  end(): void;
  /** Breaks the stream off. */
  destroy(): void;
};

type OpenStream = {
  readable: Readable;
  reply: FastifyReply;
  lastFrameAt: number;
  stuckSince: number;
  readonly openedAt: number;
  checkedAt: number;
  readonly isStillAllowed: (() => Promise<boolean>) | undefined;
  end(): void;
};

/**
 * Server-sent event replies with bounded memory. One timer watches all of them: it sends the
 * keep-alives and drops readers that stall.
 */
export function createEventStreams(options: EventStreamOptions) {
  const open = new Set<OpenStream>();
  const timer = setInterval(inspect, Math.min(1_000, options.stallMs, options.recheckMs));
  timer.unref();

  function inspect(): void {
    const now = Date.now();
    for (const stream of open) {
      const { raw } = stream.reply;
      const buffered = raw.writableLength + stream.readable.readableLength;
      stream.stuckSince = raw.writableNeedDrain ? stream.stuckSince || now : 0;
      const stalled = stream.stuckSince > 0 && now - stream.stuckSince >= options.stallMs;
      if (stalled || buffered > options.bufferBytesMax) raw.destroy();
      else if (now - stream.openedAt >= options.lifeMs) stream.end();
      else if (now - stream.lastFrameAt >= options.keepAliveMs && !raw.writableNeedDrain) {
        stream.lastFrameAt = now;
        stream.readable.push(keepAliveFrame);
      }
      if (now - stream.checkedAt >= options.recheckMs) void recheck(stream, now);
    }
  }

  async function recheck(stream: OpenStream, now: number): Promise<void> {
    stream.checkedAt = now;
    // Unknown (the database is away) is not forbidden: the next look decides.
    const allowed = (await stream.isStillAllowed?.().catch(() => true)) ?? true;
    if (!allowed) stream.end();
  }

  function openSink(reply: FastifyReply, isStillAllowed?: () => Promise<boolean>): EventSink {
    const leaving = new AbortController();
    let want = Promise.withResolvers<void>();
    const wake = (): void => {
      want.resolve();
      want = Promise.withResolvers<void>();
    };
    const leave = (): void => {
      open.delete(stream);
      leaving.abort();
      wake();
    };
    const readable = new Readable({
      highWaterMark: 16 * 1024,
      read: wake,
      destroy: (error, done) => {
        leave();
        done(error);
      },
    });
    const end = (): void => {
      leave();
      readable.push(null);
    };
    const openedAt = Date.now();
    const stream: OpenStream = {
      readable,
      reply,
      lastFrameAt: openedAt,
      stuckSince: 0,
      openedAt,
      checkedAt: openedAt,
      isStillAllowed,
      end,
    };
    open.add(stream);
    reply.raw.once('close', () => readable.destroy());
    // Gone while the reply was prepared: there is no other sign of it.
    if (reply.raw.destroyed) readable.destroy();
    readable.push(`retry: ${reconnectMs}\n\n`);
    void reply
      .type('text/event-stream; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-accel-buffering', 'no')
      .send(readable);
    return {
      push(frame) {
        if (leaving.signal.aborted) return true;
        stream.lastFrameAt = Date.now();
        return readable.push(frame);
      },
      wanted: () => (leaving.signal.aborted ? Promise.resolve() : want.promise),
      signal: leaving.signal,
      end,
      destroy: () => void readable.destroy(),
    };
  }

  return {
    /** Replies with a stream that is written to from outside, until the reader leaves. */
    open: openSink,
    /**
     * Sends what `frames` yields, to its end or until the reader leaves or `ended` fires; then
     * `signal` is aborted, so that a generator that waits for news wakes up and cleans up.
     */
    send(
      reply: FastifyReply,
      frames: (signal: AbortSignal) => AsyncIterable<string>,
      isStillAllowed?: () => Promise<boolean>,
    ): FastifyReply {
      const sink = openSink(reply, isStillAllowed);
      void pump(sink, frames).catch((error: unknown) => {
        if (!sink.signal.aborted) reply.log.error({ error }, 'event stream failed');
        sink.destroy();
      });
      return reply;
    },
    /** Streams open now. */
    count: (): number => open.size,
    /** Ends every stream without its closing part, which tells the reader to come back elsewhere. */
    close(): void {
      clearInterval(timer);
      for (const stream of open) stream.end();
    },
  };
}

async function pump(
  sink: EventSink,
  frames: (signal: AbortSignal) => AsyncIterable<string>,
): Promise<void> {
  for await (const frame of frames(sink.signal)) {
    if (sink.signal.aborted) break;
    if (!sink.push(frame)) await sink.wanted();
  }
  sink.end();
}

export type EventStreams = ReturnType<typeof createEventStreams>;
