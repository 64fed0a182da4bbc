import type { Config } from '../config.ts';
import { createContainer, type Container } from '../container.ts';
import { migrations } from '../../migrations/migrations.ts';
import type { Database } from '../platform/database/connect.ts';
import { migrate, pendingMigrations } from '../platform/database/migrate.ts';
import { createLogger, openDatabase, openResources } from '../resources.ts';
import type { Tables } from '../tables.ts';
import { CommandError } from './failure.ts';

/** Opens the database for the time of `work`. Throws `DataDirInUseError` while a server has it. */
export async function withDatabase<Result>(
  config: Config,
  work: (database: Database<Tables>) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase(config);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/**
 * The services on a database that is up to date, for the time of `work`. Not a server: nothing
 * listens, and no answers are taken over from those who run.
 */
export function withContainer<Result>(
  config: Config,
  work: (container: Container) => Promise<Result>,
): Promise<Result> {
  return withDatabase(config, async (database) => {
    // As at the start of a server: in production, migrating is a step of its own.
    if (config.environment === 'development') await migrate(database.db, migrations);
    const pending = await pendingMigrations(database.db, migrations);
    if (pending.length > 0) {
      throw new CommandError(
        'migrations-pending',
        `Migrations have not run: ${pending.join(', ')}.`,
        'Run them first: npm run cli -- migrate',
      );
    }
    const resources = await openResources(config, database, createLogger(config), {
      works: false,
    });
    const container = createContainer(config, resources);
    try {
      return await work(container);
    } finally {
      await container.relay.stop();
      await resources.jobs.stop(0);
      await resources.bus.close();
      resources.redis?.close();
    }
  });
}
