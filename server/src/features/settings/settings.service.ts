import type { Kysely, Transaction } from 'kysely';
import { transaction } from '../../platform/database/transaction.ts';
import { requireVersion, type IfMatch } from '../../platform/database/version.ts';
import type { Tables } from '../../tables.ts';
import type { Actor } from '../auth/actor.ts';
import { personOf } from '../events/event-actors.ts';
import type { EventsService } from '../events/events.service.ts';
import { defaultSettings, type Settings } from './settings.defaults.ts';
import * as repository from './settings.repository.ts';
import type { SettingsRow } from './settings.repository.ts';

export type { Settings } from './settings.defaults.ts';

/** What a change names; of `lines`, those that change. */
export type SettingsChanges = Partial<Omit<Settings, 'lines'>> & {
  lines?: Partial<Settings['lines']>;
};

export type SettingsView = Settings & { version: number; updated_at: Date };

export type SettingsService = ReturnType<typeof createSettingsService>;

/** The settings of the workspace: only what differs from the defaults is stored. */
export function createSettingsService(dependencies: {
  db: Kysely<Tables>;
  events: EventsService;
  /** Called in the transaction of a change of the language. */
  onLanguageChange: (db: Transaction<Tables>) => Promise<void>;
}) {
  const { db, events, onLanguageChange } = dependencies;

  return {
    get: async (): Promise<SettingsView> => viewOf(await repository.get(db)),

    update(actor: Actor, changes: SettingsChanges, ifMatch: IfMatch): Promise<SettingsView> {
      return transaction(db, async (db) => {
        const before = await repository.lock(db);
        requireVersion(before, ifMatch);
        const earlier: SettingsChanges = before.changes;
        const after = await repository.update(db, {
          ...earlier,
          ...changes,
          ...(changes.lines && { lines: { ...earlier.lines, ...changes.lines } }),
        });
        await events.record(db, {
          type: 'settings.updated',
          actor: personOf(actor),
          subjectId: actor.id,
          data: { version: after.version, changed: Object.keys(changes) },
        });
        const view = viewOf(after);
        if (view.language !== viewOf(before).language) await onLanguageChange(db);
        return view;
      });
    },
  };
}

function viewOf({ changes: stored, version, updated_at }: SettingsRow): SettingsView {
  const changes: SettingsChanges = stored;
  return {
    ...defaultSettings,
    ...changes,
    lines: { ...defaultSettings.lines, ...changes.lines },
    version,
    updated_at,
  };
}
