import type { Database } from '../../platform/database/connect.ts';
import { pendingMigrations, type Migrations } from '../../platform/database/migrate.ts';
import type { Tables } from '../../tables.ts';

export type Health = { status: 'ok' | 'degraded' | 'down'; detail?: string };
export type Readiness = { status: Health['status']; checks: Record<string, Health> };

/** A database that has not answered by now is down, for whoever asks. */
const databaseTimeoutMs = 1_500;

export type OperationsService = ReturnType<typeof createOperationsService>;

export function createOperationsService(dependencies: {
  database: Pick<Database<Tables>, 'db' | 'ping'>;
  migrations: Migrations;
  /** What is wrong with the AI providers, in sentences without secrets. */
  aiAlarms(): string[];
  /** Whether instances hear of each other just now. */
  isBusUp(): boolean;
}) {
  const { database, migrations, aiAlarms, isBusUp } = dependencies;
  let draining = false;
  let isMigrated = false;

  return {
    startDraining: (): void => void (draining = true),
    isDraining: (): boolean => draining,

    async check(): Promise<Readiness> {
      const alarms = aiAlarms();
      const checks: Record<string, Health> = {
        process: draining ? { status: 'down', detail: 'shutting down' } : { status: 'ok' },
        database: await databaseHealth(),
        // Without its providers the assistant quotes articles: worth an alarm, not an outage.
        // Without it they look at the database every few seconds.
        bus: isBusUp()
          ? { status: 'ok' }
          : { status: 'degraded', detail: 'instances do not hear of each other at once' },
        ai: alarms.length > 0 ? { status: 'degraded', detail: alarms.join(' ') } : { status: 'ok' },
      };
      const states = Object.values(checks).map((check) => check.status);
      const status =
        (['down', 'degraded'] as const).find((state) => states.includes(state)) ?? 'ok';
      return { status, checks };
    },
  };

  async function databaseHealth(): Promise<Health> {
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(() => timeout.reject(new Error('timeout')), databaseTimeoutMs);
    try {
      await Promise.race([database.ping(), timeout.promise]);
      // Once they have run they stay: a pool that is busy must not make an instance unready.
      if (isMigrated) return { status: 'ok' };
      const looking = pendingMigrations(database.db, migrations);
      const pending = await Promise.race([looking, timeout.promise]);
      isMigrated = pending.length === 0;
      if (isMigrated) return { status: 'ok' };
      return { status: 'down', detail: `${pending.length} migrations have not run` };
    } catch {
      return { status: 'down', detail: 'does not answer' };
    } finally {
      clearTimeout(timer);
    }
  }
}
