import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Config } from '../../config.ts';
import { migrations } from '../../../migrations/migrations.ts';
import type { Database } from '../../platform/database/connect.ts';
import { DataDirInUseError } from '../../platform/database/embedded.ts';
import { pendingMigrations } from '../../platform/database/migrate.ts';
import { countDeadLetters } from '../../platform/jobs/dead-letters.ts';
import type { Tables } from '../../tables.ts';
import { reasonOf } from '../failure.ts';
import { withDatabase } from '../workspace.ts';
import type { Check } from './check.ts';

const versionMin = 15;
/** Leases are counted by the database's clock, tokens by ours. */
const clockDifferenceMaxMs = 2_000;

/** Whether the database answers, is new enough, up to date, has our time, and no failed jobs. */
export async function checkDatabase(config: Config): Promise<Check[]> {
  const name = 'Database';
  const { databaseUrl, dataDir } = config;
  const which = databaseUrl ? `PostgreSQL at ${new URL(databaseUrl).host}` : 'embedded PostgreSQL';
  if (!databaseUrl && !existsSync(join(dataDir, 'database'))) {
    return [{ name, ok: true, detail: `${which}, made at the first start` }];
  }
  try {
    return await withDatabase(config, async (database) => [
      await checkVersion(database, which),
      await checkMigrations(database, config),
      await checkClock(database),
      await checkJobs(database),
    ]);
  } catch (error) {
    if (error instanceof DataDirInUseError) {
      return [{ name, ok: true, detail: `${which}, in use by a server that runs` }];
    }
    const fix = databaseUrl
      ? 'Check DATABASE_URL, and that the server it names is running.'
      : `If nothing in it is needed, delete ${dataDir} and start anew.`;
    return [{ name, ok: false, detail: `${which}: ${reasonOf(error)}`, fix }];
  }
}

async function checkVersion({ db }: Database<Tables>, which: string): Promise<Check> {
  const { rows } = await sql<{ server_version: string }>`show server_version`.execute(db);
  const version = rows[0]?.server_version ?? '';
  const check = { name: 'Database', detail: `${which}, version ${version}` };
  if (parseInt(version, 10) >= versionMin) return { ...check, ok: true };
  return { ...check, ok: false, fix: `Use PostgreSQL ${versionMin} or newer.` };
}

async function checkMigrations({ db }: Database<Tables>, { environment }: Config): Promise<Check> {
  const name = 'Migrations';
  const pending = await pendingMigrations(db, migrations);
  if (pending.length === 0) return { name, ok: true, detail: 'up to date' };
  const detail = `${pending.length} to run`;
  if (environment === 'development') {
    return { name, ok: true, detail: `${detail}, which the next start does` };
  }
  return { name, ok: false, detail, fix: 'Run them: npm run cli -- migrate' };
}

async function checkClock({ db }: Database<Tables>): Promise<Check> {
  const name = 'Clock';
  const askedAt = Date.now();
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  const repliedAt = Date.now();
  const theirs = rows[0]?.now.getTime() ?? Number.NaN;
  // Anywhere between question and reply is no difference.
  const differenceMs = Math.max(0, askedAt - theirs, theirs - repliedAt);
  if (differenceMs <= clockDifferenceMaxMs) {
    return { name, ok: true, detail: "the same as the database's" };
  }
  const seconds = (differenceMs / 1_000).toFixed(1);
  const detail = `${seconds} s away from the database's`;
  return { name, ok: false, detail, fix: 'Set the clock of both machines (NTP).' };
}

async function checkJobs({ db }: Database<Tables>): Promise<Check> {
  const name = 'Jobs';
  const count = await countDeadLetters(db);
  if (count === 0) return { name, ok: true, detail: 'none has failed for good' };
  const fix = 'The log says why, at "A job has failed for the last time."';
  return { name, ok: false, detail: `${count} failed for good in the last 14 days`, fix };
}
