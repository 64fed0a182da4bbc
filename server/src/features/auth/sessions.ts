import { randomUUIDv7 } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import { AppError, notFound } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { decodeCursor, pageOf, type Page } from '../../platform/database/page.ts';
import type { Tables } from '../../tables.ts';
import type { Actor } from './actor.ts';
import * as repository from './auth.repository.ts';
import { createLiveLookups } from './live-lookups.ts';
import {
  hashOf,
  newRefreshToken,
  newRotationKey,
  sessionIdOf,
  standingOf,
  successorOf,
} from './refresh-tokens.ts';
import { accessTokenSeconds, type Tokens } from './tokens.ts';

/** What a sign-in gives; `expiresAt` is the end of the session, which no refresh moves. */
export type Grant = {
  accessToken: string;
  expiresInSeconds: number;
  refreshToken: string;
  expiresAt: Date;
};

const lifeMs = 30 * 24 * 60 * 60 * 1_000;
const userAgentLengthMax = 200;

/** For 401 replies, which must say how to sign in. */
export const challenge = { 'www-authenticate': 'Bearer realm="support-assistant"' };

export type Sessions = ReturnType<typeof createSessions>;

/** Sessions: begun by a sign-in, kept alive by refresh tokens, shown by access tokens. */
export function createSessions(dependencies: { db: Kysely<Tables>; clock: Clock; tokens: Tokens }) {
  const { db, clock, tokens } = dependencies;
  const live = createLiveLookups({ read: (id) => repository.findLiveSession(db, id), clock });

  return {
    async open(
      db: Transaction<Tables>,
      userId: string,
      { userAgent, network }: { userAgent: string; network: string },
    ): Promise<Grant> {
      const id = randomUUIDv7();
      const rotationKey = newRotationKey();
      const refreshToken = newRefreshToken(id, rotationKey);
      const now = clock.now();
      const expiresAt = new Date(now.getTime() + lifeMs);
      await repository.insertSession(db, {
        id,
        userId,
        userAgent: printable(userAgent),
        network,
        tokenHash: hashOf(refreshToken),
        rotationKey,
        now,
        expiresAt,
      });
      return grantOf({ id, userId, expiresAt }, refreshToken);
    },

    /** Whether the account with this e-mail was signed in to from that network. */
    isKnownAt: (email: string, network: string): Promise<boolean> =>
      repository.isKnownAt(db, email, network),

    /** Exchanges a refresh token for its successor; reuse of an earlier one ends the session. */
    async refresh(token: string | undefined): Promise<Grant> {
      const id = token && sessionIdOf(token);
      if (!id) throw invalidRefreshToken();
      // Who loses the race against another tab looks again, and finds the token repeated.
      const grant = (await tryRefresh(id, token)) ?? (await tryRefresh(id, token));
      if (!grant) throw invalidRefreshToken();
      return grant;
    },

    /** Who an access token stands for, read from the database within the last half second. */
    async authenticate(accessToken: string | undefined): Promise<Actor> {
      if (!accessToken) throw unauthenticated('Send an access token to do this.');
      const claims = tokens.verifyAccess(accessToken);
      const session = claims && (await live.find(claims.sessionId));
      if (!session || session.userId !== claims.userId) {
        throw sessionEnded();
      }
      const { userId, role, name } = session;
      return { id: userId, role, name, sessionId: claims.sessionId };
    },

    /** For what outlives a request: whether the actor would still be the same one. */
    async isLive(actor: Actor): Promise<boolean> {
      const session = await live.find(actor.sessionId);
      return session?.userId === actor.id && session.role === actor.role;
    },

    async list(
      actor: Actor,
      { limit, cursor }: { limit: number; cursor: string | undefined },
    ): Promise<Page<repository.SessionRow>> {
      const boundTo = ['sessions', actor.id];
      const after = cursor === undefined ? undefined : decodeCursor(cursor, boundTo);
      const page = { limit, after };
      const rows = await repository.listSessions(db, actor.id, clock.now(), page);
      return pageOf(rows, limit, boundTo, (row) => row.created_at.toISOString());
    },

    async revoke(actor: Actor, id: string): Promise<void> {
      const ended = await end(db, { userId: actor.id, id });
      if (ended.length === 0) throw notFound();
    },

    /** Ends the session that the request came with; it may have ended already. */
    async leave(actor: Actor): Promise<void> {
      await end(db, { id: actor.sessionId });
    },

    /** Ends all sessions of a user, but for `except`. */
    async revokeAll(db: Transaction<Tables>, userId: string, except?: string): Promise<void> {
      await end(db, { userId, except });
    },
  };

  /** Undefined when another request has rotated or ended the session at the same moment. */
  async function tryRefresh(id: string, token: string): Promise<Grant | undefined> {
    const now = clock.now();
    const session = await repository.findChain(db, id);
    if (!session || session.expiresAt <= now) throw invalidRefreshToken();
    const standing = standingOf(token, session, now);
    if (standing === 'reused') await end(db, { id });
    if (standing === 'reused' || standing === 'unknown') throw invalidRefreshToken();
    const successor = successorOf(token, session.rotationKey);
    if (standing === 'current') {
      const hashes = { from: session.tokenHash, to: hashOf(successor) };
      if (!(await repository.rotate(db, id, hashes, now))) return undefined;
    }
    return grantOf({ id, ...session }, successor);
  }

  async function end(db: Kysely<Tables>, which: repository.RevokeSessions): Promise<string[]> {
    const ids = await repository.revokeSessions(db, which, clock.now());
    // Before the commit a reader may learn the old state again, and then believes it no longer than
    // other instances do.
    live.forget(ids);
    return ids;
  }

  function grantOf(
    { id, userId, expiresAt }: { id: string; userId: string; expiresAt: Date },
    refreshToken: string,
  ): Grant {
    const accessToken = tokens.signAccess({ userId, sessionId: id });
    return { accessToken, expiresInSeconds: accessTokenSeconds, refreshToken, expiresAt };
  }
}

const printable = (userAgent: string): string =>
  userAgent.replace(/[^\x20-\x7e]/g, '').slice(0, userAgentLengthMax);

export const invalidToken = (message: string): AppError =>
  unauthenticated(message, 'invalid_token');

/** For access tokens that are not good any more. */
export const sessionEnded = (): AppError =>
  invalidToken('The access token is not valid, or its session has ended.');

function unauthenticated(message: string, error?: string): AppError {
  const value = challenge['www-authenticate'] + (error ? `, error="${error}"` : '');
  return new AppError('unauthenticated', message, {
    details: { headers: { 'www-authenticate': value } },
  });
}

const invalidRefreshToken = (): AppError =>
  new AppError('invalid-refresh-token', 'The session has ended: sign in again.', {
    details: { headers: challenge },
  });
