import { statements } from './statements.ts';

/*
 * A delivery is its own job: it is due at `next_attempt_at`, and who makes the attempt moves that
 * ahead first, so that a process that dies leaves it due again.
 */
export const webhooks = statements(`
  create table webhooks (
    id uuid primary key,
    url text not null,
    description text not null,
    events text[] not null,
    secret text not null,
    previous_secret text,
    previous_secret_until timestamptz(3),
    disabled_at timestamptz(3),
    disabled_reason text check (disabled_reason in ('by-admin', 'gone', 'failing')),
    failing_since timestamptz(3),
    version integer not null default 1,
    created_at timestamptz(3) not null default now(),
    updated_at timestamptz(3) not null default now(),
    check ((disabled_at is null) = (disabled_reason is null)),
    check ((previous_secret is null) = (previous_secret_until is null))
  );

  create table webhook_deliveries (
    id uuid primary key,
    webhook_id uuid not null references webhooks (id) on delete cascade,
    event_id uuid not null references events (id) on delete cascade,
    state text not null default 'pending' check (state in ('pending', 'succeeded', 'failed')),
    attempts integer not null default 0,
    tries integer not null default 0,
    next_attempt_at timestamptz(3) default now(),
    created_at timestamptz(3) not null default now(),
    ended_at timestamptz(3),
    constraint webhook_deliveries_event_key unique (webhook_id, event_id),
    check ((next_attempt_at is null) = (state <> 'pending')),
    check ((ended_at is null) = (state = 'pending'))
  );
  create index webhook_deliveries_due on webhook_deliveries (webhook_id, next_attempt_at)
    where state = 'pending';
  create index webhook_deliveries_newest on webhook_deliveries (webhook_id, created_at desc, id desc);
  create index webhook_deliveries_failed on webhook_deliveries (webhook_id, created_at desc, id desc)
    where state = 'failed';
  create index webhook_deliveries_event on webhook_deliveries (event_id);
  create index webhook_deliveries_ended on webhook_deliveries (ended_at) where state = 'succeeded';

  create table webhook_attempts (
    delivery_id uuid not null references webhook_deliveries (id) on delete cascade,
    number integer not null,
    outcome text not null default 'running'
      check (outcome in ('running', 'succeeded', 'failed', 'interrupted')),
    started_at timestamptz(3) not null default now(),
    duration_ms integer,
    url text not null,
    status integer,
    failure text,
    message text,
    response_headers jsonb,
    response_body text,
    primary key (delivery_id, number)
  );
`);
