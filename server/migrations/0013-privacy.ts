import { statements } from './statements.ts';

/* What the erasing of people, and what goes by age, need to find their way. */
export const privacy = statements(`
  alter table users
    add column erase_requested_at timestamptz(3),
    add column erased_at timestamptz(3),
    add check (erased_at is null or erase_requested_at is not null);
  create index users_being_erased on users (erase_requested_at)
    where erase_requested_at is not null and erased_at is null;

  alter table tickets add column erased_at timestamptz(3);
  create index tickets_done on tickets (updated_at)
    where erased_at is null and status in ('resolved', 'closed');

  create index events_of_people on events (subject_id, id) where type ~ '^user[.]';
  create index sessions_ended on sessions (least(expires_at, revoked_at));

  drop index webhook_deliveries_ended;
  create index webhook_deliveries_over on webhook_deliveries (ended_at) where ended_at is not null;
`);
