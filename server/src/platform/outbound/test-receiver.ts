import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { vi } from 'vitest';

/** What a receiver does once the first bytes of a request are there. */
export type Answer = (socket: Socket) => void;

/** A TCP server on loopback, as well- or ill-mannered as a test needs it. */
export async function startReceiver(answer: Answer, server: net.Server = net.createServer()) {
  const sockets = new Set<Socket>();
  const seen = { connections: 0, received: '' };
  server.on('connection', () => (seen.connections += 1));
  const ready = server instanceof tls.Server ? 'secureConnection' : 'connection';
  server.on(ready, (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    socket.once('data', () => answer(socket));
    socket.on('data', (bytes) => (seen.received += bytes.toString('latin1')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    hostAndPort: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}/hook`,
    connections: () => seen.connections,
    received: () => seen.received,
    /** The other side let go of every connection. */
    isAlone: () =>
      vi.waitFor(
        () => {
          if (sockets.size > 0) throw new Error(`${sockets.size} connections are open`);
        },
        { timeout: 10_000, interval: 5 },
      ),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** A whole response, whose length is right unless its headers say otherwise. */
export const reply =
  (body: string, head = `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}`): Answer =>
  (socket) =>
    void socket.end(`${head}\r\n\r\n${body}`);
