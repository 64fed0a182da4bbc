import { sql, type Kysely } from 'kysely';
import type { Tables } from '../../tables.ts';

/** Until when a provider asked all instances to stay away. */
export async function findPause(
  db: Kysely<Tables>,
  provider: string,
  model: string,
): Promise<Date | undefined> {
  const pause = await db
    .selectFrom('ai_pauses')
    .select('until')
    .where('provider', '=', provider)
    .where('model', '=', model)
    .where('until', '>', sql<Date>`now()`)
    .executeTakeFirst();
  return pause?.until;
}

export async function savePause(
  db: Kysely<Tables>,
  provider: string,
  model: string,
  until: Date,
): Promise<void> {
  await db
    .insertInto('ai_pauses')
    .values({ provider, model, until })
    .onConflict((conflict) =>
      conflict
        .columns(['provider', 'model'])
        .doUpdateSet({ until: sql<Date>`greatest(ai_pauses.until, excluded.until)` }),
    )
    .execute();
}
