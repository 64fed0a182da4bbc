import { isIP } from 'node:net';
import { isPublicAddress } from './addresses.ts';

export type DestinationPolicy = {
  requireHttps: boolean;
  /**
   * Exact `host:port`, as `URL` writes the host (`receiver.internal:8080`, `[::1]:9000`): these may
   * be private, plain http and on any port.
   */
  allow: ReadonlySet<string>;
};

export type DestinationRefusal =
  | 'invalid'
  | 'too-long'
  | 'scheme'
  | 'https-required'
  | 'credentials'
  | 'fragment'
  | 'port'
  | 'name'
  | 'address';

/** Whether a URL may be sent to; the message is a sentence for whoever wrote the URL. */
export type DestinationCheck<Reason = DestinationRefusal> =
  { ok: true; url: URL } | { ok: false; reason: Reason; message: string };

const urlLengthMax = 2_000;

/**
 * White space, backslashes and what is invisible: `URL` drops or turns them, so that a person reads
 * another host than the one that is meant.
 */
const misleading = /[\s\\\p{C}]/u;

/**
 * Above 1023 most ports are somebody's web server. These listen there too, and take a stranger's
 * POST for a command: control planes over HTTP, and text protocols that skip the lines of a request
 * that they do not understand. Databases and brokers are here to keep us from being used to probe.
 */
const dangerousPorts = new Set([
  ...[2049, 3306, 5432, 5672, 27017], // NFS, MySQL, PostgreSQL, AMQP, MongoDB
  ...[2375, 2376, 2379, 2380], // Docker, etcd
  ...[6379, 6667, 11211], // Redis, IRC, memcached
  ...[6443, 8500, 10250], // Kubernetes, Consul, kubelet
  ...[9200, 9300], // Elasticsearch
]);

/** Names that are never on the public internet: RFC 6761, 6762 and 8375, and ICANN for `internal`. */
const localNames = ['localhost', 'local', 'internal', 'home.arpa'];

const refuse = (reason: DestinationRefusal, message: string): DestinationCheck => ({
  ok: false,
  reason,
  message,
});

/** Everything that a URL shows without asking the network; names are resolved by `resolve.ts`. */
export function checkDestination(text: string, policy: DestinationPolicy): DestinationCheck {
  if (text.length > urlLengthMax) return tooLong;
  if (misleading.test(text)) {
    return refuse('invalid', 'The URL has white space, a backslash or an invisible character.');
  }
  const url = URL.parse(text);
  if (!url) return refuse('invalid', 'This is no absolute URL.');
  return (
    checkForm(url) ??
    (isAllowed(url, policy) ? undefined : checkPlace(url, policy)) ?? {
      ok: true,
      url,
    }
  );
}

/** Whether the operator named exactly this host and port. */
export const isAllowed = (url: URL, { allow }: DestinationPolicy): boolean =>
  allow.has(`${url.hostname}:${portOf(url)}`);

/** The port that a connection to the URL needs. */
export const portOf = ({ port, protocol }: URL): number =>
  port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);

/** The host as sockets and certificates have it: IPv6 without brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

const tooLong = refuse('too-long', `The URL is longer than ${urlLengthMax} characters.`);

function checkForm(url: URL): DestinationCheck | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return refuse('scheme', 'The URL must begin with https:// or http://.');
  }
  // Encoding makes a URL longer.
  if (url.href.length > urlLengthMax) return tooLong;
  if (url.username !== '' || url.password !== '') {
    return refuse('credentials', 'The URL must not contain a user name or password.');
  }
  if (url.href.includes('#')) return refuse('fragment', 'The URL must not have a fragment (#).');
  return undefined;
}

function checkPlace(url: URL, { requireHttps }: DestinationPolicy): DestinationCheck | undefined {
  if (requireHttps && url.protocol !== 'https:') {
    return refuse('https-required', 'The URL must begin with https://.');
  }
  const port = portOf(url);
  if ((port < 1_024 && port !== 443 && port !== 80) || dangerousPorts.has(port)) {
    return refuse('port', `Port ${port} is not allowed.`);
  }
  const host = hostOf(url);
  if (isIP(host) !== 0) {
    return isPublicAddress(host) ? undefined : refuse('address', 'The address is not public.');
  }
  return isPublicName(host) ? undefined : refuse('name', 'The host is not a public name.');
}

/** A name with a final dot is the same name to DNS and another one to certificates and lists. */
const isPublicName = (name: string): boolean =>
  name.includes('.') &&
  !name.endsWith('.') &&
  !localNames.some((local) => name === local || name.endsWith(`.${local}`));
