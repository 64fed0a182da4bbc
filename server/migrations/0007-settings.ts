import { statements } from './statements.ts';

export const settings = statements(`
  create table settings (
    id boolean primary key default true check (id),
    version integer not null default 1,
    changes jsonb not null default '{}',
    updated_at timestamptz(3) not null default now()
  );
  insert into settings default values;
`);
