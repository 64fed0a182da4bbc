import type { Logger } from 'pino';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { createContainer, type Container } from './container.ts';
import { migrations } from '../migrations/migrations.ts';
import type { Database } from './platform/database/connect.ts';
import { migrate } from './platform/database/migrate.ts';
import type { HttpServer } from './platform/http/server.ts';
import { openResources } from './resources.ts';
import type { Tables } from './tables.ts';

export type Server = { app: HttpServer; container: Container; stop(): Promise<void> };

/**
 * Builds everything around an open database: migrated (in production a step of its own does that),
 * its background work running, not yet listening.
 */
export async function createServer(
  config: Config,
  database: Database<Tables>,
  logger: Logger,
): Promise<Server> {
  const { tracesUrl } = config;
  // A tenth of a second, for those who want it.
  const traces =
    tracesUrl && (await import('./platform/telemetry/export-traces.ts')).exportTraces(tracesUrl);
  if (config.environment === 'development') await migrate(database.db, migrations);
  const resources = await openResources(config, database, logger);
  const container = createContainer(config, resources);
  const app = await createApp(config, container, logger);
  container.runner.resume();
  await container.startJobs();
  return {
    app,
    container,
    async stop() {
      const { drainMs } = config.shutdown;
      await container.relay.stop();
      await Promise.all([
        container.runner.drain(drainMs),
        container.dispatcher.stop(drainMs),
        container.jobs.stop(drainMs),
      ]);
      container.stopLive();
      container.eventStreams.close();
      await app.close();
      await resources.bus.close();
      resources.redis?.close();
      await database.close();
      if (traces) await traces.stop();
    },
  };
}
