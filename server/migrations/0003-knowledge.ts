import { statements } from './statements.ts';

export const knowledge = statements(`
  create table articles (
    id uuid primary key,
    title text not null,
    body text not null,
    tags text[] not null default '{}',
    audience text not null check (audience in ('public', 'internal')),
    status text not null check (status in ('draft', 'published', 'archived')),
    version integer not null default 1,
    created_at timestamptz(3) not null default now(),
    updated_at timestamptz(3) not null default now(),
    published_at timestamptz(3)
  );
  create index articles_updated on articles (updated_at desc, id desc);

  create table article_chunks (
    id uuid primary key,
    article_id uuid not null references articles (id) on delete cascade,
    ordinal integer not null,
    heading text not null,
    content text not null,
    length integer not null,
    constraint article_chunks_ordinal_key unique (article_id, ordinal)
  );

  create table chunk_terms (
    lexeme text not null,
    chunk_id uuid not null references article_chunks (id) on delete cascade,
    frequency integer not null,
    primary key (lexeme, chunk_id)
  );
  create index chunk_terms_chunk on chunk_terms (chunk_id);

  create table lexemes (
    lexeme text primary key,
    chunks integer not null
  );

  create table knowledge_totals (
    id boolean primary key default true check (id),
    chunks integer not null,
    length bigint not null
  );
  insert into knowledge_totals (chunks, length) values (0, 0);
`);
