import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerQuestions } from './support/worker.ts';

/*
 * The least that can stand between an AI and a reader: it passes the bytes on. Nothing is parsed,
 * guarded or saved.
 */

answerQuestions<{ aiUrl: string }, string>(async ({ aiUrl }) => {
  const server = createServer((incoming, response) => {
    const upstream = send(`${aiUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      agent: false,
    });
    upstream.on('response', (reply) => {
      response.writeHead(reply.statusCode ?? 502, { 'content-type': 'text/event-stream' });
      reply.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
