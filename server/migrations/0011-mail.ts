import { statements } from './statements.ts';

/*
 * `mails` counts what goes to an address, and knows which mail of a repeated job is gone already. A
 * row of `account_tokens` is no token: that takes the server's secret too.
 */
export const mail = statements(`
  create table mails (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    kind text not null,
    begun_at timestamptz(3) not null,
    sent_at timestamptz(3)
  );
  create index mails_user on mails (user_id, begun_at);
  create index mails_begun on mails (begun_at);

  create table account_tokens (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    purpose text not null check (purpose in ('password-reset', 'invitation')),
    created_at timestamptz(3) not null,
    expires_at timestamptz(3) not null,
    used_at timestamptz(3)
  );
  create index account_tokens_user on account_tokens (user_id, created_at);
  create index account_tokens_expires on account_tokens (expires_at);
`);
