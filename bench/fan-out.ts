import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { answerQuestions } from './support/worker.ts';

/*
 * The least that can tell many readers of something: what Redis says goes out on every open stream.
 * Nothing is saved, and nobody is asked who they are.
 */

answerQuestions<{ redisUrl: string; channel: string }, string>(async ({ redisUrl, channel }) => {
  const streams = new Set<ServerResponse>();
  const redis = new Redis(redisUrl);
  redis.on('message', (_channel, frame) => {
    for (const stream of streams) stream.write(frame);
  });
  await redis.subscribe(channel);
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': hello\n\n');
    streams.add(response);
    response.on('close', () => streams.delete(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
