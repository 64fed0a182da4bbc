import { statements } from './statements.ts';

/* Unlogged: who looks at what is worth nothing after a crash, and is renewed within seconds. */
export const presence = statements(`
  create unlogged table presence (
    ticket_id uuid not null references tickets (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    state text not null check (state in ('viewing', 'typing')),
    until timestamptz(3) not null,
    primary key (ticket_id, user_id)
  );
  create index presence_until on presence (until);
`);
