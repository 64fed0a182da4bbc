import type { FastifyReply, FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import type { RateLimiter, Standing } from '../rate-limit/rate-limits.ts';

/** What requests are counted together, and which of them are refused first when there are too many. */
export type RequestKind = 'search' | 'read' | 'write' | 'sign-in' | 'account';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `read` for GET and `write` for the rest unless told; `unlimited` is for what watches the server. */
    countedAs?: RequestKind | 'unlimited';
  }
}

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);

export const kindOf = ({ method, routeOptions }: FastifyRequest): RequestKind | 'unlimited' =>
  routeOptions.config.countedAs ?? (reading.has(method) ? 'read' : 'write');

/** An address as a limit sees it: of IPv6 the /64 that one household or machine has. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${parsed.toNormalizedString().split(':').slice(0, 4).join(':')}::/64`;
}

export class RateLimitError extends Error {
  readonly headers: Record<string, string>;

  constructor({ resetSeconds }: Standing) {
    super(`Too many requests; try again in ${resetSeconds} s.`);
    this.name = 'RateLimitError';
    this.headers = { 'retry-after': String(resetSeconds) };
  }
}

/** Limits of requests by kind: `RateLimit` headers on every reply, 429 beyond. */
export function createRequestLimits(limiters: Partial<Record<RequestKind, RateLimiter>>) {
  const policies = Object.values(limiters).map(({ limit }) => limit);
  const headerOf = new Map(
    policies.map(({ name, max, windowSeconds }) => [name, `"${name}";q=${max};w=${windowSeconds}`]),
  );

  return {
    /** Counts the request against `caller`. Throws `RateLimitError` when that is one too many. */
    async count(request: FastifyRequest, reply: FastifyReply, caller: string): Promise<void> {
      const kind = kindOf(request);
      const limiter = kind === 'unlimited' ? undefined : limiters[kind];
      if (!limiter) return;
      const { name } = limiter.limit;
      const standing = await limiter.count(caller);
      void reply
        .header('ratelimit-policy', headerOf.get(name))
        .header('ratelimit', `"${name}";r=${standing.remaining};t=${standing.resetSeconds}`);
      if (standing.isOver) throw new RateLimitError(standing);
    },
  };
}
