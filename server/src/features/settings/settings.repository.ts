import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import type { SettingsTable, Tables } from '../../tables.ts';

export type SettingsRow = Selectable<SettingsTable>;

export const get = (db: Kysely<Tables>): Promise<SettingsRow> =>
  db.selectFrom('settings').selectAll().executeTakeFirstOrThrow();

export const lock = (db: Transaction<Tables>): Promise<SettingsRow> =>
  db.selectFrom('settings').selectAll().forUpdate().executeTakeFirstOrThrow();

export const update = (db: Transaction<Tables>, changes: object): Promise<SettingsRow> =>
  db
    .updateTable('settings')
    .set({
      changes: JSON.stringify(changes),
      version: sql<number>`version + 1`,
      updated_at: sql<Date>`now()`,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
