import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/*
 * Refresh tokens are opaque: `<session id>.<secret>`. Only the hash of the valid one is stored.
 * A token's successor is an HMAC of it, so that a token which is presented twice has one successor,
 * however many tabs ask. The secret ends in a mark, an HMAC of the rest: whatever bears it was once
 * valid. So an earlier token is told from a made-up one at once, however long the chain; to walk
 * the chain instead would let anybody keep the process busy with made-up tokens.
 */

/** What the database knows of a session's chain of refresh tokens. */
export type TokenChain = { tokenHash: Buffer; rotationKey: Buffer; rotatedAt: Date };

/**
 * `current`: the valid token. `repeated`: the one before it, within the grace period. `reused`: any
 * earlier one, so two parties hold this session. `unknown`: never a token of this session.
 */
export type Standing = 'current' | 'repeated' | 'reused' | 'unknown';

/** The token just spent may be spent again for this long: tabs race, and replies get lost. */
const graceMs = 10_000;

const rotationKeyBytes = 32;
const bodyBytes = 24;
const markBytes = 8;
const pattern = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([\w-]{43})$/;

export const newRotationKey = (): Buffer => randomBytes(rotationKeyBytes);

export const newRefreshToken = (sessionId: string, rotationKey: Buffer): string =>
  sealed(sessionId, randomBytes(bodyBytes), rotationKey);

export const successorOf = (token: string, rotationKey: Buffer): string =>
  sealed(
    token.slice(0, token.indexOf('.')),
    mac(rotationKey, `next ${token}`, bodyBytes),
    rotationKey,
  );

/** The session that a token claims to be of; undefined when it is not a token at all. */
export const sessionIdOf = (token: string): string | undefined => pattern.exec(token)?.[1];

export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

export function standingOf(token: string, chain: TokenChain, now: Date): Standing {
  if (hashOf(token).equals(chain.tokenHash)) return 'current';
  if (!isSealed(token, chain.rotationKey)) return 'unknown';
  const isLastSpent = hashOf(successorOf(token, chain.rotationKey)).equals(chain.tokenHash);
  const isInGrace = now.getTime() - chain.rotatedAt.getTime() <= graceMs;
  return isLastSpent && isInGrace ? 'repeated' : 'reused';
}

function sealed(sessionId: string, body: Buffer, rotationKey: Buffer): string {
  const mark = mac(rotationKey, `mark ${sessionId}.${body.toString('base64url')}`, markBytes);
  return `${sessionId}.${Buffer.concat([body, mark]).toString('base64url')}`;
}

function isSealed(token: string, rotationKey: Buffer): boolean {
  const [, sessionId = '', secret = ''] = pattern.exec(token) ?? [];
  const body = Buffer.from(secret, 'base64url').subarray(0, bodyBytes);
  const expected = Buffer.from(sealed(sessionId, body, rotationKey));
  const actual = Buffer.from(token);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

const mac = (key: Buffer, text: string, bytes: number): Buffer =>
  createHmac('sha256', key).update(text).digest().subarray(0, bytes);
