import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/config.ts';
import { createContainer } from '../src/container.ts';
import { createInProcessBus } from '../src/platform/bus/bus.ts';
import { systemClock } from '../src/platform/clock.ts';
import { connectPostgres } from '../src/platform/database/connect.ts';
import { createJobs } from '../src/platform/jobs/jobs.ts';
import type { Tables } from '../src/tables.ts';

/**
 * Writes client/openapi.json from the schemas of the running routes; with `--check` it only says
 * whether the file is still what they say.
 */
const path = fileURLToPath(new URL('../../client/openapi.json', import.meta.url));
const text = `${JSON.stringify(await makeDocument(), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  await writeFile(path, text);
} else if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
  console.error(
    'client/openapi.json is not what the routes say. Run `npm run openapi` and commit it.',
  );
  process.exitCode = 1;
}

async function makeDocument(): Promise<object> {
  const config = loadConfig({});
  const logger = pino({ level: 'silent' });
  // The pool connects on first use, and building the routes uses nothing.
  const database = connectPostgres<Tables>({
    url: 'postgres://127.0.0.1:1/none',
    poolMax: 1,
    statementTimeoutMs: 1,
  });
  const jobs = createJobs(
    { url: 'postgres://127.0.0.1:1/none' },
    { works: false, migrates: false, queues: [], logger },
  );
  const bus = createInProcessBus();
  const secretKeys = ['this process signs nothing and serves nobody'];
  const container = createContainer(config, {
    database,
    jobs,
    bus,
    redis: undefined,
    secretKeys,
    clock: systemClock,
    logger,
  });
  const app = await createApp(config, container, logger);
  await app.ready();
  const document = app.swagger();
  container.eventStreams.close();
  await app.close();
  await database.close();
  return document;
}
