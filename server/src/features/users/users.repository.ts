import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely, type RawBuilder, type Selectable, type Transaction } from 'kysely';
import { behind, type Position } from '../../platform/database/page.ts';
import type { Tables, UsersTable } from '../../tables.ts';
import type { UserFilter } from './users.policy.ts';

export type UserRow = Selectable<UsersTable>;

/** The accounts of API keys are none of this feature's business. */
const people = (db: Kysely<Tables>) =>
  db.selectFrom('users').selectAll().where('kind', '=', 'person');

export const find = (db: Kysely<Tables>, id: string): Promise<UserRow | undefined> =>
  people(db).where('id', '=', id).executeTakeFirst();

export const findExternal = (
  db: Kysely<Tables>,
  issuer: string,
  subject: string,
): Promise<UserRow | undefined> =>
  people(db)
    .where('external_issuer', '=', issuer)
    .where('external_subject', '=', subject)
    .executeTakeFirst();

export const lock = (db: Transaction<Tables>, id: string): Promise<UserRow | undefined> =>
  people(db).where('id', '=', id).forUpdate().executeTakeFirst();

/**
 * Locks every admin who can sign in, always in the same order, and returns their ids: while the lock
 * is held none of them can be demoted, disabled or deleted by another transaction. Must come before
 * the lock of any other user. What refers to an admin, such as a new session, need not wait for it.
 */
export async function lockAdmins(db: Transaction<Tables>): Promise<string[]> {
  const admins = await db
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'admin')
    .where('disabled_at', 'is', null)
    .where('password_hash', 'is not', null)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  return admins.map((admin) => admin.id);
}

export type NewUser = Pick<
  UserRow,
  'email' | 'name' | 'role' | 'password_hash' | 'external_issuer' | 'external_subject'
>;

export const insert = (db: Transaction<Tables>, user: NewUser, now: Date): Promise<UserRow> =>
  db
    .insertInto('users')
    .values({
      ...user,
      id: randomUUIDv7(),
      locale: null,
      disabled_at: null,
      created_at: now,
      updated_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();

export type UserChanges = Partial<NewUser & Pick<UserRow, 'disabled_at' | 'locale'>> & {
  erase_requested_at?: Date;
};

export const update = (
  db: Transaction<Tables>,
  id: string,
  changes: UserChanges,
  now: Date,
): Promise<UserRow> =>
  db
    .updateTable('users')
    .set({ ...changes, version: sql<number>`version + 1`, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();

/** Newest first, one more than `limit`. */
export function list(
  db: Kysely<Tables>,
  filter: UserFilter,
  page: { limit: number; after: Position | undefined },
): Promise<UserRow[]> {
  let query = people(db);
  if (filter.roles) query = query.where(sql<boolean>`role = any(${filter.roles})`);
  if (filter.disabled !== undefined) {
    query = query.where('disabled_at', filter.disabled ? 'is not' : 'is', null);
  }
  if (filter.text) query = query.where(nameOrEmailContains(filter.text));
  if (page.after) {
    query = query.where(behind('created_at', 'id', 'timestamptz', 'desc', page.after));
  }
  return query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute();
}

function nameOrEmailContains(text: string): RawBuilder<boolean> {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  return sql<boolean>`(name ilike ${pattern} or email ilike ${pattern})`;
}
