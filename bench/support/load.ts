import autocannon from 'autocannon';
import { answerQuestions } from './worker.ts';

/** For each connection the requests that it sends, over and over. */
export type LoadAsk = { url: string; seconds: number; connections: LoadConnection[] };

export type LoadConnection = {
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  paths: string[];
  body?: string;
};

export type LoadReply = {
  requests: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Replies other than 2xx, timeouts and broken connections. */
  failures: number;
};

answerQuestions<LoadAsk, LoadReply>(async ({ url, seconds, connections }) => {
  let next = 0;
  const result = await autocannon({
    url,
    duration: seconds,
    sampleInt: 100,
    connections: connections.length,
    setupClient(client) {
      const { paths = [], ...common } = connections[next++ % connections.length] ?? {};
      client.setRequests(paths.map((path) => ({ ...common, path })));
    },
  });
  return {
    requests: result['2xx'],
    perSecond: result['2xx'] / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failures: result.non2xx + result.errors,
  };
});
