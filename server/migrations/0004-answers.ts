import { statements } from './statements.ts';

export const answers = statements(`
  create table answers (
    id uuid primary key,
    ticket_id uuid not null references tickets (id) on delete cascade,
    message_id uuid not null,
    state text not null check (state in ('queued', 'streaming', 'completed', 'handed_off',
      'incomplete', 'failed', 'cancelled', 'superseded')),
    attempt smallint not null default 1,
    up_to_seq integer not null,
    text text not null default '',
    sources jsonb,
    citations jsonb not null default '[]',
    verdict text check (verdict in ('ANSWER', 'CLARIFY', 'NO_ANSWER', 'HANDOFF')),
    handoff_mode text check (handoff_mode in ('now', 'offer')),
    handoff_reason text,
    finish_reason text,
    failure text,
    provider text,
    model text,
    input_tokens integer,
    output_tokens integer,
    lease_owner uuid,
    lease_until timestamptz(3),
    feedback_helpful boolean,
    feedback_reason text,
    feedback_comment text,
    feedback_at timestamptz(3),
    queued_at timestamptz(3) not null default now(),
    started_at timestamptz(3),
    ended_at timestamptz(3),
    check ((ended_at is null) = (state in ('queued', 'streaming'))),
    check (state <> 'queued' or text = '')
  ) with (fillfactor = 50);
  create unique index answers_one_streaming on answers (ticket_id) where state = 'streaming';
  create unique index answers_one_queued on answers (ticket_id) where state = 'queued';
  create index answers_ticket on answers (ticket_id, queued_at);
  create index answers_live on answers (id) where state in ('queued', 'streaming');

  create table ai_pauses (
    provider text not null,
    model text not null,
    until timestamptz(3) not null,
    primary key (provider, model)
  );
`);
