import { sql, type Kysely, type Transaction } from 'kysely';
import { behind, type Position } from '../../platform/database/page.ts';
import type { Role, Tables } from '../../tables.ts';
import type { Scope } from './scopes.ts';

/** A key with its account. */
export type ApiKeyRow = {
  id: string;
  name: string;
  role: Role;
  prefix: string;
  scopes: Scope[];
  created_by: string;
  creator_name: string;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
};

export type NewApiKey = Pick<
  ApiKeyRow,
  'id' | 'name' | 'role' | 'prefix' | 'scopes' | 'created_by' | 'created_at' | 'expires_at'
> & { token_hash: Buffer; email: string };

export async function insert(db: Transaction<Tables>, key: NewApiKey): Promise<void> {
  const { name, role, email, ...row } = key;
  const { id, created_at } = key;
  const account = { id, name, role, email, kind: 'api-key' as const };
  const nothing = {
    password_hash: null,
    external_issuer: null,
    external_subject: null,
    locale: null,
    disabled_at: null,
  };
  await db
    .insertInto('users')
    .values({ ...account, ...nothing, created_at, updated_at: created_at })
    .execute();
  await db
    .insertInto('api_keys')
    .values({ ...row, last_used_at: null })
    .execute();
}

/** Those that nobody has revoked. */
const keys = (db: Kysely<Tables>) =>
  db
    .selectFrom('api_keys')
    .innerJoin('users', 'users.id', 'api_keys.id')
    .where('users.disabled_at', 'is', null);

const views = (db: Kysely<Tables>) =>
  keys(db)
    .innerJoin('users as creators', 'creators.id', 'api_keys.created_by')
    .select(['api_keys.id', 'users.name', 'users.role', 'prefix', 'scopes', 'created_by'])
    .select(['creators.name as creator_name', 'api_keys.created_at'])
    .select(['expires_at', 'last_used_at'])
    .$narrowType<{ scopes: Scope[] }>();

export const find = (db: Kysely<Tables>, id: string): Promise<ApiKeyRow | undefined> =>
  views(db).where('api_keys.id', '=', id).executeTakeFirst();

/** Newest first, one more than `limit`. */
export function list(
  db: Kysely<Tables>,
  page: { limit: number; after: Position | undefined },
): Promise<ApiKeyRow[]> {
  let query = views(db);
  if (page.after) {
    const place = behind('api_keys.created_at', 'api_keys.id', 'timestamptz', 'desc', page.after);
    query = query.where(place);
  }
  return query
    .orderBy('api_keys.created_at', 'desc')
    .orderBy('api_keys.id', 'desc')
    .limit(page.limit + 1)
    .execute();
}

/** Who a key lets in. */
export type LiveApiKey = {
  id: string;
  role: Role;
  name: string;
  scopes: Scope[];
  expiresAt: Date | null;
  lastUsedAt: Date | null;
};

export const findLive = (
  db: Kysely<Tables>,
  by: { hash: Buffer } | { id: string },
): Promise<LiveApiKey | undefined> =>
  keys(db)
    .select(['api_keys.id', 'users.role', 'users.name', 'scopes'])
    .select(['expires_at as expiresAt', 'last_used_at as lastUsedAt'])
    .where((where) =>
      'id' in by ? where('api_keys.id', '=', by.id) : where('token_hash', '=', by.hash),
    )
    .$narrowType<{ scopes: Scope[] }>()
    .executeTakeFirst();

/** Notes that a key is used, unless that was noted since `notSince`. */
export const recordUse = (
  db: Kysely<Tables>,
  id: string,
  { now, notSince }: { now: Date; notSince: Date },
) =>
  db
    .updateTable('api_keys')
    .set({ last_used_at: now })
    .where('id', '=', id)
    .where(sql<boolean>`(last_used_at is null or last_used_at <= ${notSince})`)
    .execute();

/** Ends a key for good; returns the hash of its token. The account stays, as a name for what it did. */
export async function revoke(
  db: Transaction<Tables>,
  id: string,
  now: Date,
): Promise<Buffer | undefined> {
  const account = await db
    .updateTable('users')
    .set({ disabled_at: now, version: sql<number>`version + 1`, updated_at: now })
    .where('id', '=', id)
    .where('kind', '=', 'api-key')
    .where('disabled_at', 'is', null)
    .executeTakeFirst();
  if (account.numUpdatedRows === 0n) return undefined;
  const key = await db
    .selectFrom('api_keys')
    .select('token_hash')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  // The embedded database gives plain byte arrays.
  return Buffer.from(key.token_hash);
}
