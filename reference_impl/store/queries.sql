-- name: staging
-- The rows of one batch, in the columns of audit_log.
create temp table if not exists audit_staging (
    ordinal integer, event_id uuid, timestamp timestamptz, action text, status text, principal_id text,
    organization_id text, target_resource_type text, target_resource_id text, outcome_description text, ttl bigint,
    correlation_id text, data_classification text, retention_policy text, event_version text, details jsonb, hash bytea,
    received_ms double precision
) on commit delete rows

-- name: new
-- `fresh` has the first row of each id, and `won` the ids that were not stored before. Sorted by id, so that two lanes
-- with the same ids never wait for each other in a circle. The key of an event that a handler takes is dropped at once:
-- `verify` expects no row for it.
with fresh as materialized (
    select distinct on (event_id) * from audit_staging order by event_id, ordinal
), won as (
    insert into audit_event_key (event_id, hash, dropped) select event_id, hash, {dropped} from fresh order by event_id
    on conflict do nothing returning event_id
)

-- name: insert
-- Follows `new`. Positions are drawn in the order of the queue. The lane's head counts the rows, and sums a number that
-- is computed from each row's id and hash, in the transaction that stores the rows. A sum depends on no order, so no lane
-- waits for another, and retention can subtract the rows that it drops. Hash partitions depend on that function, so
-- PostgreSQL does not change it. Lane -1 is of rows without a lane, -2 of the integrity log, -3 of dropped rows.
, stored as (
    insert into audit_log (id, position, {columns}, processing_latency)
    select n, n, {columns},
        greatest(0, (select 1000 * extract(epoch from statement_timestamp())::double precision) - received_ms)
    from (
        select nextval('audit_position') as n, ordered.*
        from (select fresh.* from fresh join won using (event_id) order by ordinal) as ordered
    ) as positioned
    returning hashbyteaextended(hash, id) as number
), head as (
    insert into audit_head (lane, rows, sum) select %s, count(*), sum(number) from stored having count(*) > 0
    on conflict (lane) do update set rows = audit_head.rows + excluded.rows, sum = audit_head.sum + excluded.sum
)
select count(*) from stored

-- name: claim
-- Follows `new`, in place of `insert` when a handler takes the events.
select ordinal from fresh join won using (event_id) order by ordinal

-- name: conflicts
select ordinal, first.hash from audit_staging staged join audit_event_key first using (event_id)
where staged.hash <> first.hash order by ordinal

-- name: insert_conflicts
-- One statement for a batch, which may be a thousand resends. The same other content is stored once.
insert into audit_conflict (event_id, hash, kept_hash, event)
select event_id, hash, kept_hash, event from (
    select distinct on (event_id, staged.hash) ordinal, event_id, staged.hash, first.hash as kept_hash, event
    from unnest(%s::int[], %b::bytea[]) as sent (ordinal, event)
    join audit_staging staged using (ordinal) join audit_event_key first using (event_id)
    order by event_id, staged.hash, ordinal
) as other
where not exists (select from audit_conflict known where (known.event_id, known.hash) = (other.event_id, other.hash))
order by ordinal

-- name: heartbeat
insert into audit_beat (worker, lane, beaten_at) values (%s, %s, now())
on conflict (worker, lane) do update set beaten_at = excluded.beaten_at
returning (select count(*) from audit_dead_letter),
          (select count(*) from audit_dead_letter where last_failed_at > now() - make_interval(secs => %s))

-- name: partitions
-- The months that have a partition.
select replace(right(relname, 7), '_', '-') from pg_inherits join pg_class on oid = inhrelid
where inhparent = 'audit_log'::regclass

-- name: create_partition
-- The rights are those that 003_evidence.sql leaves on audit_log.
create table {name} (like audit_log including defaults including constraints);
revoke update, delete, truncate on {name} from current_user;
grant update (archived_at) on {name} to current_user;
alter table audit_log attach partition {name} for values from ({first}) to ({end})

-- name: held
-- Whether a policy holds a row: the longest active one that names it, or its class; without a policy, for ever.
select exists (
    select from {name} held left join lateral (
        select max(retention_days) as days from audit_retention_policy p
        where is_active and (policy_name = held.retention_policy or p.data_classification = held.data_classification)
    ) longest on true
    where id > %(after)s and id <= %(to)s and (days is null or timestamp + make_interval(days => days) > %(now)s)
)

-- name: clear
-- Delete everything that depends on the rows of a span, and subtract the rows from the heads.
with gone as not materialized (select * from {name} where id > %(after)s and id <= %(to)s), logged as (
    delete from audit_integrity_log entry using gone
    where (audit_log_id, entry.timestamp) = (gone.id, gone.timestamp) returning 1
), keys as (
    delete from audit_event_key key using gone where key.event_id = gone.event_id
), conflicts as (
    delete from audit_conflict conflict using gone where conflict.event_id = gone.event_id
)
insert into audit_head (lane, rows, sum)
select -3, -count(*), -coalesce(sum(hashbyteaextended(hash, id)), 0) from gone
union all select -2, -count(*), 0 from logged
on conflict (lane) do update set rows = audit_head.rows + excluded.rows, sum = audit_head.sum + excluded.sum

-- name: lock_partition
-- LOCK asks for a right to write.
set local lock_timeout = {ms};
grant delete on {name} to current_user;
lock table {name} in share mode

-- name: drop_partition
-- DETACH looks for references of the integrity log to the month, while all inserts wait. Both sides are indexed by id,
-- and the remaining ids are higher than the month's: a merge join ends early, a hash join would read all of them.
set local enable_hashjoin = off;
set local enable_nestloop = off;
alter table audit_log detach partition {name};
drop table {name}

-- name: lock_lane
-- LIMIT stops after the first lock that is acquired.
select lane from unnest(%s::int[]) as lane where pg_try_advisory_lock(%s, lane) limit 1

-- name: terminate_stale_holders
-- Sessions whose last statement began too long ago and from which the server waits for more. Counted from the beginning,
-- so that a long statement does not prolong the lease. The same role may terminate them.
select count(pg_terminate_backend(pid)) from pg_stat_activity
where pid <> pg_backend_pid() and wait_event = 'ClientRead' and query_start < now() - make_interval(secs => %s)
and pid in (
    select pid from pg_locks where locktype = 'advisory' and granted and classid = %s and objid = any(%s::oid[])
    and database = (select oid from pg_database where datname = current_database())
)
