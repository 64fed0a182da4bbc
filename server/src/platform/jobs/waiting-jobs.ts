import { sql, type Kysely } from 'kysely';
import { jobsSchema } from './boss.ts';

/** The jobs of a queue that are not done: for now, for later, and under way. */
export type WaitingJobs = { queue: string; ready: number; deferred: number; active: number };

/** Queues in which nothing waits are left out. */
export async function countWaiting<Tables>(db: Kysely<Tables>): Promise<WaitingJobs[]> {
  const { rows } = await sql<WaitingJobs>`
    select name as queue,
      count(*) filter (where state < 'active' and start_after <= now())::int as ready,
      count(*) filter (where state < 'active' and start_after > now())::int as deferred,
      count(*) filter (where state = 'active')::int as active
    from ${sql.table(`${jobsSchema}.job`)} where state < 'completed' group by name`.execute(db);
  return rows;
}
