import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrations } from '../../server/migrations/migrations.ts';
import { connectPostgres, type Database } from '../../server/src/platform/database/connect.ts';
import { migrate } from '../../server/src/platform/database/migrate.ts';
import { installJobs } from '../../server/src/platform/jobs/boss.ts';
import { queues } from '../../server/src/queues.ts';
import type { Tables } from '../../server/src/tables.ts';
import { testDatabaseUrl } from '../../server/test/services.ts';

/** A migrated database of one question's own. */
export type BenchDatabase = {
  url: string;
  db: Database<Tables>['db'];
  /** Makes the planner know what is there, as it would after a while. */
  settle(): Promise<void>;
  /** Process ids of the connections to it but our own. */
  backendPids(): Promise<number[]>;
  drop(): Promise<void>;
};

export type Databases = ReturnType<typeof createDatabases>;

const prefix = 'support_bench_';
/** Filling a table takes longer than any statement of the product may. */
const statementTimeoutMs = 300_000;
const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** The PostgreSQL server to measure on; throws when there is none on loopback. */
export async function findPostgres(): Promise<string> {
  const url = await testDatabaseUrl();
  if (!url) throw new Error('The bench needs a PostgreSQL server: name it in TEST_DATABASE_URL.');
  if (!loopback.has(new URL(url).hostname)) {
    throw new Error('The bench fills and drops databases: TEST_DATABASE_URL must be on loopback.');
  }
  return url;
}

/** Makes databases on a PostgreSQL server, and drops every one of them with the run. */
export function createDatabases(serverUrl: string) {
  const open = new Map<string, BenchDatabase>();

  async function create(): Promise<BenchDatabase> {
    const name = `${prefix}${process.pid}_${randomBytes(4).toString('hex')}`;
    await onServer(serverUrl, `create database ${name}`);
    const url = withName(serverUrl, name);
    const { db, close } = connectPostgres<Tables>({ url, poolMax: 4, statementTimeoutMs });
    const database: BenchDatabase = {
      url,
      db,
      settle: () => onServer(url, 'vacuum analyze').then(() => undefined),
      async backendPids() {
        const rows = await onServer(
          serverUrl,
          `select pid from pg_stat_activity where datname = '${name}'`,
        );
        return rows.map((row) => Number(row['pid']));
      },
      async drop() {
        open.delete(name);
        await close();
        await onServer(serverUrl, `drop database if exists ${name} with (force)`);
      },
    };
    open.set(name, database);
    await migrate(db, migrations);
    await installJobs({ url }, queues);
    return database;
  }

  /** A run that was killed could not drop its databases: the next one does. */
  async function dropLeftOvers(): Promise<void> {
    const rows = await onServer(
      serverUrl,
      `select datname from pg_database where datname like '${prefix}%'`,
    );
    for (const name of rows.map((row) => String(row['datname']))) {
      const pid = Number(name.slice(prefix.length).split('_')[0]);
      if (!isAlive(pid)) await onServer(serverUrl, `drop database if exists ${name} with (force)`);
    }
  }

  return {
    create,
    dropLeftOvers,
    query: (statement: string) => onServer(serverUrl, statement),
    async close(): Promise<void> {
      for (const database of [...open.values()]) await database.drop();
    },
  };
}

type Row = Record<string, unknown>;

async function onServer(url: string, statement: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

function withName(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
