import { statements } from './statements.ts';

/*
 * `ordinal` is handed out when an event is written, `position` after its commit: only positions have
 * no late comers. The head of the feed is kept: a position is not used again, whatever is erased. What was recorded before there was a relay keeps its order.
 */
export const events = statements(`
  alter table events add column ordinal bigint generated always as identity;
  drop index events_unpositioned;
  update events set position = ordered.position
    from (select id, row_number() over (order by ordinal) as position from events) as ordered
    where ordered.id = events.id;
  create table feed_head (
    id boolean primary key default true check (id),
    position bigint not null
  );
  insert into feed_head (position) select coalesce(max(position), 0) from events;
  create index events_unpositioned on events (ordinal) where position is null;
  create index events_audit on events (created_at desc, id desc)
    where actor_type = 'agent' or type ~ '^(user|settings|webhook)[.]';

  create function refuse_change_of_events() returns trigger language plpgsql as $$ begin
    if current_setting('support_assistant.retention', true) = 'on' then
      return coalesce(new, old);
    end if;
    if tg_op = 'UPDATE' then
      if old.position is null then
        old.position := new.position;
        if new is not distinct from old then return new; end if;
      end if;
    end if;
    raise exception 'events are append-only' using errcode = 'insufficient_privilege';
  end $$;

  create trigger events_are_append_only before update or delete on events
    for each row execute function refuse_change_of_events();
  create trigger events_are_kept before truncate on events
    for each statement execute function refuse_change_of_events();
`);
