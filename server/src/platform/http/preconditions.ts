import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Idempotency } from '../database/idempotency.ts';
import type { IfMatch } from '../database/version.ts';

/** A version as an entity tag. */
export const etagOf = (version: number): string => `"${version}"`;

const tagList = /^(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*$/;

/**
 * The versions that `If-Match` names; undefined without the header and for `*`. As RFC 9110 has it,
 * weak tags match nothing; neither do tags that are not ours, nor what is no list of tags.
 */
export function ifMatchOf(request: FastifyRequest): IfMatch {
  const header = request.headers['if-match']?.trim();
  if (header === undefined || header === '*') return undefined;
  if (!tagList.test(header)) return [];
  return [...header.matchAll(/(W\/)?"([^"]*)"/g)]
    .filter(([, weak, tag = '']) => !weak && /^[1-9]\d{0,8}$/.test(tag))
    .map(([, , version]) => Number(version));
}

const keyPattern = /^[\x21-\x7e]{1,200}$/;

export class IdempotencyKeyError extends Error {}

/**
 * The request's `Idempotency-Key` with what it is bound to; undefined without the header. `body` is
 * what a repetition must be equal in, hashed and kept for a day: leave out what must not be.
 * Throws `IdempotencyKeyError` when the key is not 1 to 200 printable characters.
 */
export function idempotencyOf(
  request: FastifyRequest,
  body: unknown = request.body,
): Idempotency | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !keyPattern.test(key)) {
    throw new IdempotencyKeyError('An Idempotency-Key has 1 to 200 printable ASCII characters.');
  }
  const requestHash = createHash('sha256')
    .update(JSON.stringify([request.url, body ?? null]))
    .digest('base64url');
  return { route: `${request.method} ${request.routeOptions.url}`, key, requestHash };
}

/** Tells a repeated request that its effect is that of the first one. */
export function markReplayed(reply: FastifyReply, { replayed }: { replayed: boolean }): void {
  if (replayed) void reply.header('idempotent-replayed', 'true');
}
