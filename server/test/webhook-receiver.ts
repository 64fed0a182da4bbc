import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from './reply.ts';

/** One request that a receiver got. */
export type Received = {
  url: string;
  headers: IncomingHttpHeaders;
  text: string;
  body: Json;
  at: number;
};

export type WebhookReceiver = {
  /** For `WEBHOOK_ALLOW`. */
  host: string;
  url: string;
  received: Received[];
  /** What the next requests get; 200 unless told. */
  reply: (received: Received, response: ServerResponse) => void;
  close(): Promise<void>;
};

/** A receiver on loopback that remembers what it got. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const one = {
        url: request.url ?? '',
        headers: request.headers,
        text,
        body: JSON.parse(text),
        at: Date.now(),
      };
      received.push(one);
      receiver.reply(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const receiver: WebhookReceiver = {
    host,
    url: `http://${host}/hooks`,
    received,
    reply: (_received, response) => void response.end('ok'),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return receiver;
}
