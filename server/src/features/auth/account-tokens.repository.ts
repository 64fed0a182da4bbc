import type { Kysely, Transaction } from 'kysely';
import type { AccountTokenPurpose, AccountTokensTable, Role, Tables } from '../../tables.ts';

export type AccountToken = Pick<AccountTokensTable, 'id' | 'user_id' | 'purpose'>;

/**
 * The user, locked, while a link may give them a password: a person who is not disabled, and signed
 * in by nobody else's product.
 */
export const lockReceiver = (
  db: Transaction<Tables>,
  userId: string,
): Promise<{ id: string; role: Role } | undefined> =>
  db
    .selectFrom('users')
    .select(['id', 'role'])
    .where('id', '=', userId)
    .where('kind', '=', 'person')
    .where('disabled_at', 'is', null)
    .where('external_issuer', 'is', null)
    .forUpdate()
    .executeTakeFirst();

export const findUserId = async (
  db: Kysely<Tables>,
  email: string,
): Promise<string | undefined> => {
  const user = await db
    .selectFrom('users')
    .select('id')
    .where('email', '=', email)
    .executeTakeFirst();
  return user?.id;
};

/** Undefined for one that is used, void or too old. */
export const findLive = (
  db: Kysely<Tables>,
  id: string,
  now: Date,
): Promise<AccountToken | undefined> =>
  db
    .selectFrom('account_tokens')
    .select(['id', 'user_id', 'purpose'])
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();

export const find = (db: Kysely<Tables>, id: string) =>
  db.selectFrom('account_tokens').selectAll().where('id', '=', id).executeTakeFirst();

export async function countSince(
  db: Kysely<Tables>,
  userId: string,
  purpose: AccountTokenPurpose,
  since: Date,
): Promise<number> {
  const { count } = await db
    .selectFrom('account_tokens')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('user_id', '=', userId)
    .where('purpose', '=', purpose)
    .where('created_at', '>', since)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function insert(
  db: Kysely<Tables>,
  token: AccountToken & { created_at: Date; expires_at: Date },
): Promise<void> {
  await db
    .insertInto('account_tokens')
    .values({ ...token, used_at: null })
    .execute();
}

/** All that the user still could use, or those of one purpose. */
export async function voidAll(
  db: Kysely<Tables>,
  userId: string,
  now: Date,
  purpose?: AccountTokenPurpose,
): Promise<void> {
  let query = db
    .updateTable('account_tokens')
    .set({ used_at: now })
    .where('user_id', '=', userId)
    .where('used_at', 'is', null);
  if (purpose) query = query.where('purpose', '=', purpose);
  await query.execute();
}

export async function setPasswordHash(
  db: Transaction<Tables>,
  userId: string,
  password_hash: string,
): Promise<void> {
  await db.updateTable('users').set({ password_hash }).where('id', '=', userId).execute();
}
