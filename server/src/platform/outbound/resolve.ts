import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isPublicAddress } from './addresses.ts';
import { hostOf, isAllowed, type DestinationPolicy } from './destination.ts';
import { codeOf, failure, type Failure } from './failure.ts';

/** All addresses of a name; rejects when there are none. */
export type Resolve = (
  name: string,
  /** `local`: names that only this machine and its network know count too. */
  options: { local: boolean; signal: AbortSignal },
) => Promise<readonly string[]>;

/**
 * What this machine calls by a name, for the hosts that the operator named; for all others only
 * public DNS. `lookup` holds one of the process's few threads until the name servers answer, and it
 * cannot be called back: a stranger's slow name servers must not stop files and passwords.
 */
export const resolveName: Resolve = async (name, { local, signal }) => {
  if (!local) return resolvePublicName(name, signal);
  const entries = await lookup(name, { all: true });
  return entries.map(({ address }) => address);
};

async function resolvePublicName(name: string, signal: AbortSignal): Promise<string[]> {
  const resolver = new Resolver();
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await addressesIn([resolver.resolve4(name), resolver.resolve6(name)]);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** Most names have only one kind of address, and the other question fails. */
async function addressesIn(questions: Promise<string[]>[]): Promise<string[]> {
  const answers = await Promise.allSettled(questions);
  const addresses = answers.flatMap((answer) =>
    answer.status === 'fulfilled' ? answer.value : [],
  );
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (addresses.length === 0 && failed) throw failed.reason;
  return addresses;
}

/**
 * The addresses that may be connected to. One that is not public refuses the whole name: it is how
 * a name prepares to change its mind.
 */
export async function resolveDestination(
  url: URL,
  { policy, resolve, signal }: { policy: DestinationPolicy; resolve: Resolve; signal: AbortSignal },
): Promise<readonly string[] | Failure> {
  const host = hostOf(url);
  if (isIP(host) !== 0) return [host];
  const local = isAllowed(url, policy);
  try {
    const addresses = await resolve(host, { local, signal });
    if (addresses.length === 0) return failure('dns', `${host} has no address`);
    return local || addresses.every(isPublicAddress)
      ? addresses
      : failure('refused', `${host} has an address that is not public`);
  } catch (error) {
    return failure('dns', `${host} was not resolved (${codeOf(error)})`);
  }
}
