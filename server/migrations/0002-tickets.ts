import { statements } from './statements.ts';

export const tickets = statements(`
  create table tickets (
    id uuid primary key,
    number bigint generated always as identity constraint tickets_number_key unique,
    title text not null,
    description text not null,
    status text not null default 'open'
      check (status in ('open', 'pending', 'on_hold', 'resolved', 'closed')),
    priority text not null default 'normal' check (priority in ('low', 'normal', 'high', 'urgent')),
    requester_id uuid not null references users (id),
    assignee_id uuid references users (id),
    tags text[] not null default '{}',
    assistant text not null default 'active' check (assistant in ('active', 'paused', 'off')),
    handoff_reason text,
    handoff_at timestamptz(3),
    handoff_answer_id uuid,
    channel text not null default 'api',
    version integer not null default 1,
    last_seq integer not null default 0,
    last_event integer not null default 0,
    last_message_at timestamptz(3) not null,
    created_at timestamptz(3) not null default now(),
    updated_at timestamptz(3) not null,
    resolved_at timestamptz(3),
    check ((handoff_reason is null) = (handoff_at is null))
  );
  create index tickets_updated on tickets (updated_at desc, id desc);
  create index tickets_created on tickets (created_at desc, id desc);
  create index tickets_status_updated on tickets (status, updated_at desc, id desc);
  create index tickets_requester_updated on tickets (requester_id, updated_at desc, id desc);
  create index tickets_assignee_updated on tickets (assignee_id, updated_at desc, id desc);
  create index tickets_handed_off on tickets (handoff_at, id) where handoff_at is not null;

  create table messages (
    id uuid primary key,
    ticket_id uuid not null references tickets (id) on delete cascade,
    seq integer not null,
    author_type text not null check (author_type in ('customer', 'agent', 'assistant', 'system')),
    author_id uuid references users (id),
    visibility text not null default 'public' check (visibility in ('public', 'internal')),
    content text not null,
    citations jsonb,
    answer_id uuid,
    created_at timestamptz(3) not null default now(),
    constraint messages_ticket_seq_key unique (ticket_id, seq)
  );

  create table events (
    id uuid primary key,
    type text not null,
    position bigint constraint events_position_key unique,
    actor_type text not null,
    actor_id uuid,
    ticket_id uuid references tickets (id) on delete cascade,
    subject_id uuid not null,
    sequence integer,
    data jsonb not null,
    previous jsonb,
    created_at timestamptz(3) not null default now(),
    constraint events_ticket_sequence_key unique (ticket_id, sequence)
  );
  create index events_unpositioned on events (created_at) where position is null;
`);
