import { request as send, type ClientRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { delaysIn } from './stamp.ts';
import { percentile, rounded } from './statistics.ts';
import { answerQuestions } from './worker.ts';

/** The readers of live answers, each on a socket of its own. */
export type ReadersAsk =
  /** Opens the streams evenly within `withinMs`, and waits until text comes on every one. */
  | { do: 'open'; streams: StreamRequest[]; withinMs: number }
  | { do: 'measure'; milliseconds: number }
  | { do: 'close' };

export type StreamRequest = { url: string; headers: Record<string, string>; body: string };

export type ReadersReply = {
  /** Streams on which text has come. */
  live: number;
  /** Streams that were refused or broke. */
  failures: string[];
  /** Of all pieces of text within the time, from the AI's write to the reader. */
  pieces: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
};

const liveWithinMs = 20_000;

let open = new Set<ClientRequest>();
let live = 0;
let failures: string[] = [];
let delays: number[] = [];
let measuring = false;

function openStream({ url, headers, body }: StreamRequest): void {
  const request = send(url, { method: 'POST', headers, agent: false });
  open.add(request);
  const fail = (reason: string): void => {
    if (open.has(request)) failures.push(reason);
  };
  request.on('error', (error) => fail(error.message));
  request.on('response', (reply) => {
    if ((reply.statusCode ?? 500) >= 300) fail(`${url}: ${reply.statusCode}`);
    let isLive = false;
    reply.on('data', (bytes: Buffer) => {
      const found = delaysIn(bytes.toString('latin1'));
      if (found.length === 0) return;
      if (!isLive) live += 1;
      isLive = true;
      if (measuring) for (const one of found) delays.push(one);
    });
    reply.on('error', (error) => fail(error.message));
    reply.on('end', () => fail('the stream ended while it was read'));
  });
  request.end(body);
}

answerQuestions<ReadersAsk, ReadersReply>(async (ask) => {
  if (ask.do === 'open') {
    const startedAt = performance.now();
    for (const [at, stream] of ask.streams.entries()) {
      const waitMs = startedAt + (at * ask.withinMs) / ask.streams.length - performance.now();
      if (waitMs > 1) await delay(waitMs);
      openStream(stream);
    }
    const giveUpAt = performance.now() + liveWithinMs;
    while (live + failures.length < ask.streams.length && performance.now() < giveUpAt) {
      await delay(20);
    }
  }
  if (ask.do === 'measure') {
    delays = [];
    measuring = true;
    await delay(ask.milliseconds);
    measuring = false;
  }
  const reply = {
    live,
    failures: [...new Set(failures)],
    pieces: delays.length,
    p50Ms: rounded(percentile(delays, 0.5)),
    p99Ms: rounded(percentile(delays, 0.99)),
    maxMs: rounded(percentile(delays, 1)),
  };
  if (ask.do === 'close') {
    const closing = open;
    open = new Set();
    for (const request of closing) request.destroy();
    live = 0;
    failures = [];
    delays = [];
  }
  return reply;
});
