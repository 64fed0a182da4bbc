import { sql, type Kysely } from 'kysely';
import { jobsSchema } from './boss.ts';
import { deadLetters } from './queue.ts';

/** How many jobs have failed for good; 0 where there have never been any jobs. */
export async function countDeadLetters<Tables>(db: Kysely<Tables>): Promise<number> {
  const jobs = `${jobsSchema}.job`;
  const { rows: known } = await sql<{ exists: boolean }>`
    select to_regclass(${jobs}) is not null as exists`.execute(db);
  if (!known[0]?.exists) return 0;
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from ${sql.table(jobs)} where name = ${deadLetters}`.execute(db);
  return rows[0]?.count ?? 0;
}
