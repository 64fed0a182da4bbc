import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Person } from '../../bench/support/people.ts';
import type { Faults } from '../scenario.ts';

/** Opens the live feed and takes no more than its beginning; `resume` the socket to read on. */
export async function openFeed(
  faults: Faults,
  url: string,
  person: Person,
  query = '',
): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  faults.defer(() => socket.destroy());
  await once(socket, 'connect');
  const authorization = `authorization: Bearer ${person.token}`;
  socket.write(
    `GET /api/v1/events/stream${query} HTTP/1.1\r\nhost: here\r\n${authorization}\r\n\r\n`,
  );
  await once(socket, 'readable');
  const beginning = String(socket.read());
  if (!beginning.startsWith('HTTP/1.1 200')) throw new Error(`The feed: ${beginning}`);
  socket.on('error', () => undefined);
  return socket;
}
