-- name: insert
-- Failures count from now, by the store's clock: the worker's, in the history, may be wrong, and retention would follow.
with new as (
    insert into audit_event_key (event_id, hash, dead) values (%(key)s, decode(%(hash)s, 'hex'), true)
    on conflict do nothing returning event_id
)
insert into audit_dead_letter
    (event_id, event, cause, error_class, stack, attempts, first_failed_at, last_failed_at, history)
select event_id, %(event)s, %(cause)s, %(error_class)s, %(stack)s, %(attempts)s,
    now() - greatest(%(last)s::timestamptz - %(first)s::timestamptz, interval '0'), now(), %(history)s::text::jsonb
from new on conflict do nothing

-- name: take_for_replay
-- The key goes, too: storing the event inserts it anew in the same transaction.
with letter as (delete from audit_dead_letter where event_id = %s returning event_id)
delete from audit_event_key key using letter where key.event_id = letter.event_id

-- name: add_attempt
update audit_dead_letter
set attempts = attempts + 1, last_failed_at = now(), history = history || %s::text::jsonb where event_id = %s

-- name: delete
-- In parts, so that no number of dead letters takes longer than a statement may.
with gone as (
    delete from audit_dead_letter where id in (select id from audit_dead_letter where {where} limit 1000)
    returning event_id
)
update audit_event_key key set dropped = true from gone where key.event_id = gone.event_id

-- name: summary
select count(*) as total, count(*) filter (where last_failed_at >= date_trunc('day', %s::timestamptz, 'UTC')) as today,
    coalesce(extract(epoch from min(first_failed_at)), 0)::float8 as oldest,
    coalesce(extract(epoch from max(last_failed_at)), 0)::float8 as newest, (
        select coalesce(json_object_agg(cause, number), '{}') from (
            select cause, count(*) as number from audit_dead_letter group by 1 order by 2 desc, 1 limit %s
        ) as commonest
    ) as reasons
from audit_dead_letter
