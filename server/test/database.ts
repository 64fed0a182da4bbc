import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { inject } from 'vitest';
import {
  connectEmbedded,
  connectPostgres,
  type Database,
} from '../src/platform/database/connect.ts';
import type { Tables } from '../src/tables.ts';

/** A migrated database of its own for one test file, and what another process needs to reach it. */
export type TestDatabase = {
  database: Database<Tables>;
  /** Undefined on the embedded database, which only this process can reach. */
  url: string | undefined;
  drop(): Promise<void>;
};

/** On PostgreSQL a clone of the migrated template, else an embedded one from the migrated dump. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { serverUrl, template, dump } = inject('databases');
  return serverUrl ? cloneTemplate(serverUrl, template) : loadDump(dump);
}

async function loadDump(path: string): Promise<TestDatabase> {
  const pglite = await PGlite.create({ loadDataDir: new Blob([await readFile(path)]) });
  const database = connectEmbedded<Tables>(pglite);
  return { database, url: undefined, drop: () => database.close() };
}

async function cloneTemplate(serverUrl: string, template: string): Promise<TestDatabase> {
  const name = `${template}_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, `create database ${name} template ${template}`);
  const url = withName(serverUrl, name);
  const database = connectPostgres<Tables>({ url, poolMax: 8, statementTimeoutMs: 10_000 });
  return {
    database,
    url,
    async drop() {
      await database.close();
      await onServer(serverUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

/** Runs one statement outside any transaction, on the server's own database. */
export async function onServer(serverUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl, connectionTimeoutMillis: 2_000 });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export function withName(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
