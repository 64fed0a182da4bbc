import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { TestProject } from 'vitest/node';
import { migrations } from '../migrations/migrations.ts';
import { connectEmbedded, connectPostgres } from '../src/platform/database/connect.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { installJobs } from '../src/platform/jobs/boss.ts';
import { queues } from '../src/queues.ts';
import { onServer, withName } from './database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    databases: { serverUrl: string | undefined; template: string; dump: string };
  }
}

/** Migrates one database per run; every test file gets a copy of it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const serverUrl = project.name === 'postgres' ? process.env['TEST_DATABASE_URL'] : undefined;
  if (serverUrl) {
    const template = `support_test_${randomBytes(4).toString('hex')}`;
    await onServer(serverUrl, `create database ${template}`);
    const url = withName(serverUrl, template);
    const { db, close } = connectPostgres({ url, poolMax: 2, statementTimeoutMs: 60_000 });
    await migrate(db, migrations);
    await close();
    await installJobs({ url }, queues);
    project.provide('databases', { serverUrl, template, dump: '' });
    return () => onServer(serverUrl, `drop database if exists ${template} with (force)`);
  }
  const folder = await mkdtemp(join(tmpdir(), 'support-test-'));
  const dump = join(folder, 'database.tar');
  const pglite = await PGlite.create();
  await migrate(connectEmbedded(pglite).db, migrations);
  await installJobs({ pglite }, queues);
  await writeFile(dump, await (await pglite.dumpDataDir('none')).bytes());
  await pglite.close();
  project.provide('databases', { serverUrl: undefined, template: '', dump });
  return () => rm(folder, { recursive: true, force: true });
}
