import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { percentile, rounded } from './statistics.ts';
import { answerQuestions } from './worker.ts';

/** A receiver of webhooks: what comes to `/hang` gets no reply. */
export type ReceiverAsk = { do: 'start' } | { do: 'read' } | { do: 'forget' };

export type ReceiverReply = {
  url: string;
  count: number;
  /** From the event to the attempt. */
  p50Ms: number;
  p99Ms: number;
  /** Between the first and the last attempt. */
  spanMs: number;
};

let url = '';
let delays: number[] = [];
let firstAt = 0;
let lastAt = 0;

const timestamp = /"timestamp":"([^"]+)"/;

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => (body += text));
  request.on('end', () => {
    if (request.url === '/hang') return;
    lastAt = Date.now();
    firstAt ||= lastAt;
    delays.push(lastAt - Date.parse(timestamp.exec(body)?.[1] ?? ''));
    response.end();
  });
});

answerQuestions<ReceiverAsk, ReceiverReply>(async (ask) => {
  if (ask.do === 'start') {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  if (ask.do === 'forget') {
    delays = [];
    firstAt = 0;
  }
  return {
    url,
    count: delays.length,
    p50Ms: rounded(percentile(delays, 0.5)),
    p99Ms: rounded(percentile(delays, 0.99)),
    spanMs: lastAt - firstAt,
  };
});
