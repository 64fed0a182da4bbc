import { statements } from './statements.ts';

export const answerTrace = statements(`
  alter table answers
    add column trace jsonb,
    add column cost double precision,
    add column needs_review boolean not null default false;

  alter table users add column locale text;

  create table knowledge_gaps (
    id uuid primary key,
    answer_id uuid not null unique references answers (id) on delete cascade,
    ticket_id uuid not null references tickets (id) on delete cascade,
    question text not null,
    article_id uuid references articles (id) on delete set null,
    created_at timestamptz(3) not null default now()
  );
  create index knowledge_gaps_open on knowledge_gaps (created_at desc) where article_id is null;
`);
