import { statements } from './statements.ts';

export const identity = statements(`
  create table users (
    id uuid primary key,
    email text not null constraint users_email_key unique check (email = lower(email)),
    name text not null,
    password_hash text,
    role text not null check (role in ('customer', 'agent', 'admin')),
    external_issuer text,
    external_subject text,
    disabled_at timestamptz(3),
    version integer not null default 1,
    created_at timestamptz(3) not null default now(),
    updated_at timestamptz(3) not null default now()
  );
  create unique index users_external_key on users (external_issuer, external_subject);
  create index users_created on users (created_at desc, id desc);

  create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    token_hash bytea not null,
    rotation_key bytea not null,
    rotated_at timestamptz(3) not null default now(),
    user_agent text not null default '',
    created_at timestamptz(3) not null default now(),
    expires_at timestamptz(3) not null,
    revoked_at timestamptz(3)
  );
  create index sessions_user on sessions (user_id);

  create table idempotency_keys (
    user_id uuid not null references users (id) on delete cascade,
    route text not null,
    key text not null,
    request_hash text not null,
    status smallint not null,
    body jsonb not null,
    created_at timestamptz(3) not null default now(),
    primary key (user_id, route, key)
  );
  create index idempotency_keys_created on idempotency_keys (created_at);
`);
