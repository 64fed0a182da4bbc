import { statements } from './statements.ts';

export const gate = statements(`
  create table gate_calibrations (
    knowledge_version bigint primary key,
    samples integer not null,
    intercept double precision not null,
    weights jsonb not null,
    curve jsonb not null,
    created_at timestamptz(3) not null default now()
  );
`);
