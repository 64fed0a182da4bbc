import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type FaultyReceiver = {
  host: string;
  url: string;
  /** How often each event was sent here, by `webhook-id`. */
  seen: Map<string, number>;
  /** The sequences of each ticket that were taken: replied to with 200. */
  taken: Map<string, { ticketId: string | undefined; sequence: number | undefined }>;
  /** Called when a 200 has left, before anybody can know that it arrived. */
  onTaken: () => void;
  close(): Promise<void>;
};

type Fault = (response: ServerResponse) => void;

const faults: readonly Fault[] = [
  (response) => void response.writeHead(500).end('broken'),
  (response) => void response.writeHead(503, { 'retry-after': '0' }).end(),
  (response) => void response.writeHead(429, { 'retry-after': '0' }).end(),
  (response) => void response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
  // Cut before, and in the middle of what was announced.
  (response) => void response.socket?.destroy(),
  (response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => response.socket?.destroy());
  },
  // Never replies: the sender gives up.
  () => undefined,
];

/** A receiver on loopback that fails in every way that we know, for a share of the requests. */
export async function startFaultyReceiver(
  random: () => number,
  failures: number,
): Promise<FaultyReceiver> {
  const seen: FaultyReceiver['seen'] = new Map();
  const taken: FaultyReceiver['taken'] = new Map();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const id = String(request.headers['webhook-id']);
      seen.set(id, (seen.get(id) ?? 0) + 1);
      if (random() < failures) {
        faults[Math.floor(random() * faults.length)]?.(response);
        return;
      }
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        sequence?: number;
        data: { object: { id: string; ticket_id?: string } };
      };
      const { object } = body.data;
      taken.set(id, { ticketId: object.ticket_id ?? object.id, sequence: body.sequence });
      response.end('ok', () => receiver.onTaken());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const receiver: FaultyReceiver = {
    host,
    url: `http://${host}/`,
    seen,
    taken,
    onTaken: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return receiver;
}
