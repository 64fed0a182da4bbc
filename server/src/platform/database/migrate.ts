import type { Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';

/** Names and bodies, in order. Forward only: a migration that has landed is never edited. */
export type Migrations = Record<string, Migration>;

/**
 * Brings the schema up to date, under the migrator's own advisory lock, so that many instances may
 * start at once. Returns the names of the migrations that ran.
 */
export async function migrate<Tables>(
  db: Kysely<Tables>,
  migrations: Migrations,
): Promise<string[]> {
  const { error, results = [] } = await migratorFor(db, migrations).migrateToLatest();
  if (error) throw error as Error;
  return results.map((result) => result.migrationName);
}

/** The migrations that have not run yet. */
export async function pendingMigrations<Tables>(
  db: Kysely<Tables>,
  migrations: Migrations,
): Promise<string[]> {
  const known = await migratorFor(db, migrations).getMigrations();
  return known.filter((migration) => !migration.executedAt).map((migration) => migration.name);
}

const migratorFor = <Tables>(db: Kysely<Tables>, migrations: Migrations): Migrator =>
  new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } });
