import type { Kysely, Transaction } from 'kysely';
import { behind, type Position } from '../../platform/database/page.ts';
import type { Role, Tables } from '../../tables.ts';
import type { TokenChain } from './refresh-tokens.ts';

export type Credentials = { id: string; password_hash: string | null };

/** Disabled users have none, as if they did not exist. */
export const findCredentials = (
  db: Kysely<Tables>,
  by: { email: string } | { id: string },
): Promise<Credentials | undefined> =>
  db
    .selectFrom('users')
    .select(['id', 'password_hash'])
    .where((where) => ('id' in by ? where('id', '=', by.id) : where('email', '=', by.email)))
    .where('disabled_at', 'is', null)
    .executeTakeFirst();

/**
 * Holds the user as they are until the transaction ends, so that a session cannot slip in beside a
 * change of password or a disabling, which end all sessions. Undefined when they have just changed.
 */
export const holdForSignIn = (
  db: Transaction<Tables>,
  { id, password_hash }: Credentials,
): Promise<{ id: string; role: Role } | undefined> =>
  db
    .selectFrom('users')
    .select(['id', 'role'])
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .where('password_hash', 'is not distinct from', password_hash)
    .forShare()
    .executeTakeFirst();

/** False when the password was changed meanwhile. */
export async function replacePasswordHash(
  db: Kysely<Tables>,
  { id, password_hash }: Credentials,
  next: string,
): Promise<boolean> {
  const result = await db
    .updateTable('users')
    .set({ password_hash: next })
    .where('id', '=', id)
    .where('password_hash', '=', password_hash)
    .where('disabled_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export type NewSession = {
  id: string;
  userId: string;
  userAgent: string;
  network: string;
  tokenHash: Buffer;
  rotationKey: Buffer;
  now: Date;
  expiresAt: Date;
};

export async function insertSession(db: Transaction<Tables>, session: NewSession): Promise<void> {
  await db
    .insertInto('sessions')
    .values({
      id: session.id,
      user_id: session.userId,
      token_hash: session.tokenHash,
      rotation_key: session.rotationKey,
      user_agent: session.userAgent,
      network: session.network,
      rotated_at: session.now,
      created_at: session.now,
      expires_at: session.expiresAt,
      revoked_at: null,
    })
    .execute();
}

/** Whether a session of that user was begun in the network. */
export async function isKnownAt(
  db: Kysely<Tables>,
  email: string,
  network: string,
): Promise<boolean> {
  const session = await db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select('sessions.id')
    .where('users.email', '=', email)
    .where('sessions.network', '=', network)
    .limit(1)
    .executeTakeFirst();
  return session !== undefined;
}

/** Who a session is of, as long as it and its user are in order. */
export type LiveSession = { userId: string; role: Role; name: string; expiresAt: Date };

export const findLiveSession = (db: Kysely<Tables>, id: string): Promise<LiveSession | undefined> =>
  db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['users.id as userId', 'users.role', 'users.name', 'sessions.expires_at as expiresAt'])
    .where('sessions.id', '=', id)
    .where('sessions.revoked_at', 'is', null)
    .where('users.disabled_at', 'is', null)
    .executeTakeFirst();

export async function findChain(
  db: Kysely<Tables>,
  id: string,
): Promise<(TokenChain & { userId: string; expiresAt: Date }) | undefined> {
  const session = await db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .selectAll('sessions')
    .where('sessions.id', '=', id)
    .where('sessions.revoked_at', 'is', null)
    .where('users.disabled_at', 'is', null)
    .executeTakeFirst();
  return (
    session && {
      userId: session.user_id,
      expiresAt: session.expires_at,
      // The embedded database gives plain byte arrays.
      tokenHash: Buffer.from(session.token_hash),
      rotationKey: Buffer.from(session.rotation_key),
      rotatedAt: session.rotated_at,
    }
  );
}

/** False when another request was faster, or has ended the session. */
export async function rotate(
  db: Kysely<Tables>,
  id: string,
  hashes: { from: Buffer; to: Buffer },
  now: Date,
): Promise<boolean> {
  const result = await db
    .updateTable('sessions')
    .set({ token_hash: hashes.to, rotated_at: now })
    .where('id', '=', id)
    .where('token_hash', '=', hashes.from)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export type RevokeSessions = { id: string } | { userId: string; id?: string; except?: string };

/** Returns the ids of the sessions that this ended. */
export async function revokeSessions(
  db: Kysely<Tables>,
  which: RevokeSessions,
  now: Date,
): Promise<string[]> {
  let query = db
    .updateTable('sessions')
    .set({ revoked_at: now })
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now);
  if (which.id !== undefined) query = query.where('id', '=', which.id);
  if ('userId' in which) {
    query = query.where('user_id', '=', which.userId);
    if (which.except !== undefined) query = query.where('id', '<>', which.except);
  }
  const revoked = await query.returning('id').execute();
  return revoked.map((session) => session.id);
}

export type SessionRow = {
  id: string;
  user_agent: string;
  created_at: Date;
  rotated_at: Date;
  expires_at: Date;
};

/** The user's live sessions, newest first, one more than `limit`. */
export function listSessions(
  db: Kysely<Tables>,
  userId: string,
  now: Date,
  page: { limit: number; after: Position | undefined },
): Promise<SessionRow[]> {
  let query = db
    .selectFrom('sessions')
    .select(['id', 'user_agent', 'created_at', 'rotated_at', 'expires_at'])
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now);
  if (page.after) {
    query = query.where(behind('created_at', 'id', 'timestamptz', 'desc', page.after));
  }
  return query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
}
