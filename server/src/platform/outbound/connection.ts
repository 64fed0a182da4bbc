import { once } from 'node:events';
import net, { isIP, type Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import tls from 'node:tls';
import { isPublicAddress } from './addresses.ts';
import { hostOf, isAllowed, portOf, type DestinationPolicy } from './destination.ts';
import { codeOf, failure, isFailure, type Failure } from './failure.ts';

/** How long one of several addresses may take before the next is tried. */
const addressAttemptMs = 1_000;

/**
 * Connects to one of the addresses, and for https proves that the other side is the host. The
 * connection ends with the signal at the latest.
 */
export async function openConnection(
  url: URL,
  {
    addresses,
    policy,
    signal,
  }: { addresses: readonly string[]; policy: DestinationPolicy; signal: AbortSignal },
): Promise<Socket | Failure> {
  const socket = await connect(url, addresses, signal);
  if (isFailure(socket)) return socket;
  // The last word before the first byte: whatever led here, this is where the bytes would go.
  if (!isAllowed(url, policy) && !isPublicAddress(socket.remoteAddress ?? '')) {
    socket.destroy();
    return failure('refused', `${url.host} led to an address that is not public`);
  }
  return url.protocol === 'https:' ? secure(url, socket, signal) : socket;
}

async function connect(
  url: URL,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<Socket | Failure> {
  const socket = net.connect({
    host: hostOf(url),
    port: portOf(url),
    // The addresses that were checked, so that no second look at DNS decides.
    lookup: (_name, _options, answer) =>
      answer(
        null,
        addresses.map((address) => ({ address, family: isIP(address) })),
      ),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: addressAttemptMs,
    noDelay: true,
  });
  try {
    await once(watched(socket, signal), 'connect');
    return socket;
  } catch (error) {
    socket.destroy();
    return failure('connect', `${url.host} was not reached (${codeOf(error)})`);
  }
}

async function secure(url: URL, socket: Socket, signal: AbortSignal): Promise<Socket | Failure> {
  const host = hostOf(url);
  const secured = tls.connect({
    socket,
    host,
    // A server is told the name that it is asked for; an address is no name.
    servername: isIP(host) === 0 ? host : '',
    // Whatever the environment says.
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
  });
  try {
    await once(watched(secured, signal), 'secureConnect');
    return secured;
  } catch (error) {
    socket.destroy();
    return failure('tls', `${url.host} offered no TLS that we trust (${codeOf(error)})`);
  }
}

/** An error between two owners of the socket is found by the next one, as a closed socket. */
const watched = (socket: Socket, signal: AbortSignal): Socket =>
  addAbortSignal(signal, socket).on('error', () => undefined);
