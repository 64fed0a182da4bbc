import { openConnection } from './connection.ts';
import { createDeadline } from './deadline.ts';
import {
  checkDestination,
  isAllowed,
  type DestinationCheck,
  type DestinationPolicy,
  type DestinationRefusal,
} from './destination.ts';
import { exchange, type OutboundRequest, type OutboundResponse } from './exchange.ts';
import { failure, isFailure, type Failure } from './failure.ts';
import { resolveDestination, resolveName, type Resolve } from './resolve.ts';

/** How a POST ended. It never throws: whatever a stranger's server does is an outcome. */
export type OutboundResult = (OutboundResponse | Failure) & { durationMs: number };

export type Outbound = ReturnType<typeof createOutbound>;

/**
 * POSTs to URLs that strangers wrote. A request goes only to public addresses or to what `allow`
 * names: the URL, every address of its name and the connected socket are checked, no redirect is
 * followed, and time and size have limits.
 */
export function createOutbound({
  policy,
  timeoutMs,
  responseBytesMax,
  resolve = resolveName,
}: {
  policy: DestinationPolicy;
  /** In all: DNS, connecting, and the last byte that is read. */
  timeoutMs: number;
  responseBytesMax: number;
  resolve?: Resolve;
}) {
  /** Sends once, over a connection of its own; nothing is tried again. */
  async function post(
    url: string,
    { signal, ...request }: OutboundRequest & { signal?: AbortSignal },
  ): Promise<OutboundResult> {
    const startedAt = performance.now();
    const deadline = createDeadline({ timeoutMs, signal });
    try {
      const outcome = await Promise.race([deadline.over, attempt(url, request, deadline.signal)]);
      return { ...outcome, durationMs: Math.round(performance.now() - startedAt) };
    } finally {
      deadline.end();
    }
  }

  async function attempt(
    text: string,
    request: OutboundRequest,
    signal: AbortSignal,
  ): Promise<OutboundResponse | Failure> {
    signal.throwIfAborted();
    const destination = checkDestination(text, policy);
    if (!destination.ok) return failure('refused', destination.message);
    const { url } = destination;
    const addresses = await resolveDestination(url, { policy, resolve, signal });
    if (isFailure(addresses)) return addresses;
    signal.throwIfAborted();
    const socket = await openConnection(url, { addresses, policy, signal });
    if (isFailure(socket)) return socket;
    return exchange(url, { socket, request, responseBytesMax, signal });
  }

  /**
   * Whether a URL could be sent to now, for when it is entered. A name's addresses are looked at
   * too, except where `allow` names the host: it may not be up yet.
   */
  async function check(text: string): Promise<DestinationCheck<DestinationRefusal | 'dns'>> {
    const destination = checkDestination(text, policy);
    if (!destination.ok || isAllowed(destination.url, policy)) return destination;
    const { url } = destination;
    const deadline = createDeadline({ timeoutMs, signal: undefined });
    try {
      const addresses = await Promise.race([
        deadline.over,
        resolveDestination(url, { policy, resolve, signal: deadline.signal }),
      ]);
      return isFailure(addresses) ? unresolved(addresses) : destination;
    } finally {
      deadline.end();
    }
  }

  return { post, check };
}

const unresolved = ({ reason }: Failure): DestinationCheck<'address' | 'dns'> =>
  reason === 'refused'
    ? { ok: false, reason: 'address', message: 'The host has an address that is not public.' }
    : { ok: false, reason: 'dns', message: 'The host name does not resolve.' };
