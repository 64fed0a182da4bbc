import { loadConfig } from '../config.ts';
import { migrations } from '../../migrations/migrations.ts';
import { migrate } from '../platform/database/migrate.ts';
import { installJobs } from '../platform/jobs/boss.ts';
import { queues } from '../queues.ts';
import { jobStoreOf } from '../resources.ts';
import type { Terminal } from './terminal.ts';
import { withDatabase } from './workspace.ts';

/** A statement of a migration may rewrite a table; requests may not take that long. */
const statementTimeoutMs = 600_000;

/** Brings the database of the environment up to date. */
export async function migrateDatabase(terminal: Terminal): Promise<void> {
  const config = { ...loadConfig(), statementTimeoutMs };
  const ran = await withDatabase(config, async (database) => {
    const names = await migrate(database.db, migrations);
    await installJobs(jobStoreOf(database), queues);
    return names;
  });
  for (const name of ran) terminal.line(`  ${terminal.style('green', '✓')} ${name}`);
  const count = ran.length === 1 ? '1 migration' : `${ran.length} migrations`;
  terminal.line(ran.length > 0 ? `Up to date: ${count} ran.` : 'Up to date: nothing to run.');
  terminal.result({ ran, up_to_date: true });
}
