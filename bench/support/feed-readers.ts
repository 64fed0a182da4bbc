import { get, type ClientRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { percentile, rounded } from './statistics.ts';
import { answerQuestions } from './worker.ts';

/** The readers of a feed, each on a socket of its own. */
export type FeedReadersAsk =
  { do: 'open'; url: string; token: string; count: number } | { do: 'read' } | { do: 'close' };

export type FeedReadersReply = { open: number; frames: number; p50Ms: number; p99Ms: number };

const openAtOnce = 50;

let requests: ClientRequest[] = [];
let open = 0;
let delays: number[] = [];

const createdAt = /"created_at":"([^"]+)"/g;

async function openAll(url: string, token: string, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const headers = { authorization: `Bearer ${token}` };
    const request = get(url, { headers, agent: false }, (reply) => {
      reply.once('data', () => (open += 1));
      reply.on('data', (bytes: Buffer) => {
        const now = performance.timeOrigin + performance.now();
        for (const [, time = ''] of bytes.toString('latin1').matchAll(createdAt)) {
          delays.push(now - Date.parse(time));
        }
      });
      reply.on('error', () => undefined);
    });
    request.on('error', () => undefined);
    requests.push(request);
    if (at % openAtOnce === openAtOnce - 1) await delay(20);
  }
  while (open < count) await delay(10);
}

answerQuestions<FeedReadersAsk, FeedReadersReply>(async (ask) => {
  if (ask.do === 'open') await openAll(ask.url, ask.token, ask.count);
  const reply = {
    open,
    frames: delays.length,
    p50Ms: rounded(percentile(delays, 0.5)),
    p99Ms: rounded(percentile(delays, 0.99)),
  };
  if (ask.do === 'close') {
    for (const request of requests) request.destroy();
    requests = [];
    open = 0;
    delays = [];
  }
  return reply;
});
