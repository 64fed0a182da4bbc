import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/** A version as an entity tag. */
export const etagOf = (version: number): string => `"${version}"`;

/** The version that `If-Match` demands; undefined without the header or for `*`; -1 for a foreign tag. */
export function ifMatchOf(request: FastifyRequest): number | undefined {
  const header = request.headers['if-match']?.trim();
  if (header === undefined || header === '*') return undefined;
  const [, version] = /^(?:W\/)?"(\d{1,9})"$/.exec(header) ?? [];
  return version === undefined ? -1 : Number(version);
}

const keyPattern = /^[\x21-\x7e]{1,200}$/;

export class IdempotencyKeyError extends Error {}

/**
 * The request's `Idempotency-Key` with what it is bound to; undefined without the header.
 * Throws `IdempotencyKeyError` when the key is not 1 to 200 printable characters.
 */
export function idempotencyOf(
  request: FastifyRequest,
): { route: string; key: string; requestHash: string } | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !keyPattern.test(key)) {
    throw new IdempotencyKeyError('An Idempotency-Key has 1 to 200 printable ASCII characters.');
  }
  const requestHash = createHash('sha256')
    .update(JSON.stringify([request.url, request.body ?? null]))
    .digest('base64url');
  return { route: `${request.method} ${request.routeOptions.url}`, key, requestHash };
}
