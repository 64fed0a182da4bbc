import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { loadConfig } from '../config.ts';
import { migrations } from '../../migrations/migrations.ts';
import {
  listTables,
  moveTables,
  type Moved,
  type Query,
  type Table,
} from '../platform/database/move.ts';
import { CommandError } from './failure.ts';
import type { Terminal } from './terminal.ts';
import { withDatabase } from './workspace.ts';

/** What is moved: everything of ours, and of the job queue the jobs; `migrate` makes the rest of it. */
const moved = `n.nspname = 'public' and c.relname !~ '^kysely_migration'
  or n.nspname = 'pgboss' and c.relname = 'job'`;

/** Tables in which the migrations themselves leave a row. */
const seeded = ['public.settings', 'public.feed_head', 'public.knowledge_totals'];

/** Moves the embedded database into an empty PostgreSQL server, and leaves it as it is. */
export async function moveTo(url: string, terminal: Terminal): Promise<void> {
  const config = { ...loadConfig(), databaseUrl: undefined };
  const { dataDir } = config;
  if (!existsSync(join(dataDir, 'database'))) {
    throw new CommandError('nothing-to-move', `There is no embedded database in ${dataDir}.`);
  }
  await withDatabase(config, async ({ pglite }) => {
    if (!pglite) throw new Error('The embedded database is not embedded.');
    const tables = await withTransaction(url, (target) => moveInto(pglite, target, terminal));
    const rows = tables.reduce((sum, { rows }) => sum + rows, 0);
    terminal.line(`Moved ${rows} rows, and compared them.`);
    terminal.line();
    terminal.line(
      'From now on start the server with the DATABASE_URL that you gave here, and with',
    );
    terminal.line(
      config.secretKeys.length > 0
        ? 'the same SECRET_KEY as before.'
        : `SECRET_KEY="$(cat ${join(dataDir, 'secret-key')})": secrets of webhooks are sealed with it.`,
    );
    terminal.line(`${dataDir} is as it was; delete it when you no longer want to go back.`);
    terminal.result({ tables });
  });
}

async function moveInto(source: PGlite, target: pg.Client, terminal: Terminal): Promise<Moved[]> {
  const from: Query = (text) => source.query(text);
  const to: Query = (text) => target.query(text);
  await requireSame(from, to);
  const tables = await listTables(from, moved);
  const theirs = await listTables(to, moved);
  if (!isDeepStrictEqual(tables, theirs)) {
    throw new CommandError(
      'versions-differ',
      'The tables of the two databases differ.',
      sameVersion,
    );
  }
  await requireEmpty(target, tables);
  const done: Moved[] = [];
  await moveTables(source, target, {
    tables,
    seeded,
    onMoved(moved) {
      done.push(moved);
      terminal.line(`  ${terminal.style('green', '✓')} ${moved.table}  ${moved.rows}`);
    },
  });
  return done;
}

const sameVersion =
  'Start the server on the embedded database once, stop it, and run on the new one: ' +
  'DATABASE_URL=… npm run cli -- migrate';

/** Both sides were made by this version, and their job queues by the same one. */
async function requireSame(from: Query, to: Query): Promise<void> {
  const ours = Object.keys(migrations).toSorted();
  const jobs = [];
  for (const [side, query] of [
    ['embedded', from],
    ['new', to],
  ] as const) {
    const versions = await versionsOf(query);
    if (!isDeepStrictEqual(versions.migrations, ours)) {
      const message = `The ${side} database has other migrations than this version.`;
      throw new CommandError('versions-differ', message, sameVersion);
    }
    jobs.push(versions.jobs);
  }
  if (jobs[0] === jobs[1]) return;
  throw new CommandError('versions-differ', 'The job queues have different versions.', sameVersion);
}

async function versionsOf(query: Query): Promise<{ migrations: string[]; jobs: number }> {
  const { rows } = await query(`select to_regclass('kysely_migration') is not null
    and to_regclass('pgboss.version') is not null as "isMigrated"`);
  if (!(rows[0] as { isMigrated: boolean }).isMigrated) return { migrations: [], jobs: 0 };
  const versions = await query(`select (select version from pgboss.version) as jobs,
    array(select name::text from kysely_migration order by 1) as migrations`);
  return versions.rows[0] as { migrations: string[]; jobs: number };
}

/** Locks out everybody else too, so that it stays empty until the end. */
async function requireEmpty(target: pg.Client, tables: readonly Table[]): Promise<void> {
  await target.query(`lock table ${tables.map(({ name }) => name).join(', ')} in exclusive mode`);
  for (const { name } of tables) {
    if (seeded.includes(name)) continue;
    const { rows } = await target.query<object>(`select 1 from ${name} limit 1`);
    if (rows.length === 0) continue;
    throw new CommandError(
      'target-not-empty',
      `The new database is not empty: ${name} has rows.`,
      'Move into one that only `migrate` has touched.',
    );
  }
}

async function withTransaction<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    // Until then nothing is known of how much there is, and plans are bad.
    await client.query('analyze');
    return result;
  } finally {
    // Without a commit it is rolled back.
    await client.end();
  }
}
