import { sql, type Kysely } from 'kysely';
import type { Tables } from '../../tables.ts';

/** What waits in the database, for all instances; ages in seconds, 0 when nothing waits. */
export type Backlog = {
  events: number;
  eventsAge: number;
  answersQueued: number;
  answersStreaming: number;
  answersAge: number;
  deliveries: number;
  deliveriesAge: number;
  deliveriesLate: number;
};

export async function readBacklog(db: Kysely<Tables>): Promise<Backlog> {
  const age = (since: string) =>
    sql`coalesce(greatest(extract(epoch from now() - min(${sql.raw(since)})), 0), 0)::float`;
  const { rows } = await sql<Backlog>`
    select * from
      (select count(*)::int as events, ${age('created_at')} as "eventsAge"
        from events where position is null) as waiting,
      (select count(*) filter (where state = 'queued')::int as "answersQueued",
          count(*) filter (where state = 'streaming')::int as "answersStreaming",
          ${age(`case when state = 'queued' then queued_at end`)} as "answersAge"
        from answers where state in ('queued', 'streaming')) as live,
      (select count(*)::int as deliveries, ${age('created_at')} as "deliveriesAge",
          ${age('next_attempt_at')} as "deliveriesLate"
        from webhook_deliveries where state = 'pending') as pending`.execute(db);
  const [waiting] = rows;
  if (!waiting) throw new Error('A query without a condition found no row.');
  return waiting;
}
