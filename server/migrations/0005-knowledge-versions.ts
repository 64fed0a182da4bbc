import { statements } from './statements.ts';

export const knowledgeVersions = statements(`
  alter table articles add column published_version integer;
  alter table articles add column source text constraint articles_source_key unique;
  update articles set published_version = version where status = 'published';
  alter table articles add check ((published_version is not null) = (status = 'published'));

  create table article_versions (
    article_id uuid not null references articles (id) on delete cascade,
    version integer not null,
    title text not null,
    body text not null,
    tags text[] not null,
    audience text not null,
    created_by uuid,
    created_at timestamptz(3) not null default now(),
    primary key (article_id, version)
  );
  insert into article_versions (article_id, version, title, body, tags, audience, created_at)
    select id, version, title, body, tags, audience, updated_at from articles
    where published_version is not null;

  alter table article_chunks alter column article_id drop not null;
  alter table article_chunks add column version integer;
  alter table article_chunks add column staged_at timestamptz(3) not null default now();
  update article_chunks set version = articles.version from articles
    where articles.id = article_chunks.article_id;
  alter table article_chunks drop constraint article_chunks_ordinal_key;
  alter table article_chunks add constraint article_chunks_ordinal_key
    unique (article_id, version, ordinal);
  alter table article_chunks add check ((article_id is null) = (version is null));
  create index article_chunks_staged on article_chunks (staged_at) where article_id is null;

  alter table knowledge_totals add column version bigint not null default 0;

  create table article_imports (
    id uuid primary key,
    created_by uuid not null,
    total integer not null,
    created_at timestamptz(3) not null default now(),
    ended_at timestamptz(3)
  );
  create index article_imports_ended on article_imports (ended_at);

  create table article_import_items (
    import_id uuid not null references article_imports (id) on delete cascade,
    ordinal integer not null,
    path text not null,
    state text not null check (state in ('waiting', 'done', 'skipped', 'failed')),
    article jsonb,
    message text,
    primary key (import_id, ordinal)
  );
`);
