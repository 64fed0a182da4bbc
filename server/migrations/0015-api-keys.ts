import { statements } from './statements.ts';

/*
 * An API key is an account of its own, so that whatever names a user can name a key: `kind` tells
 * them apart, and a key has the id of its account.
 */
export const apiKeys = statements(`
  alter table users add column kind text not null default 'person'
    check (kind in ('person', 'api-key'));

  create table api_keys (
    id uuid primary key references users (id) on delete cascade,
    token_hash bytea not null constraint api_keys_token_hash_key unique,
    prefix text not null,
    scopes text[] not null check (cardinality(scopes) > 0),
    created_by uuid not null references users (id),
    created_at timestamptz(3) not null,
    expires_at timestamptz(3),
    last_used_at timestamptz(3)
  );
  create index api_keys_created on api_keys (created_at desc, id desc);
`);
