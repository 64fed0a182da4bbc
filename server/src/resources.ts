import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pino, type DestinationStream, type Logger } from 'pino';
import type { Config } from './config.ts';
import type { Resources } from './container.ts';
import { createInProcessBus, type Bus } from './platform/bus/bus.ts';
import { createPostgresBus } from './platform/bus/postgres-bus.ts';
import { createRedisBus } from './platform/bus/redis-bus.ts';
import { systemClock } from './platform/clock.ts';
import { connectEmbedded, connectPostgres, type Database } from './platform/database/connect.ts';
import { keepSecret, openEmbedded } from './platform/database/embedded.ts';
import type { JobStore } from './platform/jobs/boss.ts';
import { createJobs } from './platform/jobs/jobs.ts';
import { createOptionalRedis } from './platform/redis/optional-redis.ts';
import { describeError } from './platform/telemetry/describe-error.ts';
import { queues } from './queues.ts';
import type { Tables } from './tables.ts';

/** The process's log: JSON lines, with ids and never with content, passwords or tokens. */
export const createLogger = (
  config: Pick<Config, 'logLevel'>,
  destination?: DestinationStream,
): Logger =>
  pino(
    {
      level: config.logLevel,
      base: undefined,
      // `err` is what libraries call it.
      serializers: { error: describeError, err: describeError, cause: describeError },
    },
    destination ?? bufferedOutput(),
  );

/** A line written by itself costs as much as a tenth of a request. */
const outputBytes = 8_192;
const outputMs = 250;

/** Lines go out together, soon, and when the process ends; `kill -9` takes the last quarter of a second. */
function bufferedOutput(): DestinationStream {
  const output = pino.destination({ sync: false, minLength: outputBytes });
  setInterval(() => output.flush(), outputMs).unref();
  return output;
}

const vacuumMs = 10 * 60_000;

/** PostgreSQL when `DATABASE_URL` says where, else the embedded one in the data folder. */
export async function openDatabase(config: Config): Promise<Database<Tables>> {
  if (config.databaseUrl) {
    return connectPostgres({
      url: config.databaseUrl,
      poolMax: config.databasePoolMax,
      statementTimeoutMs: config.statementTimeoutMs,
    });
  }
  const { pglite, release } = await openEmbedded(config.dataDir);
  const database = connectEmbedded<Tables>(pglite);
  // The embedded PostgreSQL has no autovacuum.
  const vacuum = setInterval(
    () => void pglite.query('vacuum analyze').catch(() => undefined),
    vacuumMs,
  );
  vacuum.unref();
  return {
    ...database,
    async close() {
      clearInterval(vacuum);
      await database.close();
      if (!pglite.closed) await pglite.close();
      await release();
    },
  };
}

/** Jobs live in the database that they are about. */
export function jobStoreOf({ listenUrl, pglite }: Database<Tables>): JobStore {
  if (listenUrl) return { url: listenUrl };
  if (pglite) return { pglite };
  throw new Error('The database is neither a server nor embedded.');
}

/** How instances hear of each other: over Redis, else over the database, else there is only one. */
export async function openBus(
  { redisUrl }: Pick<Config, 'redisUrl'>,
  { listenUrl }: Pick<Database<Tables>, 'listenUrl'>,
  logger: Logger,
): Promise<Bus> {
  if (redisUrl) return createRedisBus({ url: redisUrl, logger });
  return listenUrl ? createPostgresBus({ url: listenUrl, logger }) : createInProcessBus();
}

/** What the container needs from outside, around an open database. */
export async function openResources(
  config: Config,
  database: Database<Tables>,
  logger: Logger,
  { works = config.runJobs }: { works?: boolean } = {},
): Promise<Resources> {
  const jobs = createJobs(jobStoreOf(database), {
    works,
    migrates: config.environment === 'development',
    queues,
    logger,
  });
  await jobs.start();
  return {
    database,
    jobs,
    bus: await openBus(config, database, logger),
    redis: config.redisUrl === undefined ? undefined : createOptionalRedis(config.redisUrl, logger),
    secretKeys: config.secretKeys.length > 0 ? config.secretKeys : [await ownSecret(config)],
    clock: systemClock,
    logger,
  };
}

const ownSecret = (config: Config): Promise<string> =>
  keepSecret(join(config.dataDir, 'secret-key'), () => randomBytes(48).toString('base64url'));
