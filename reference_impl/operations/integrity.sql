-- name: read
-- The event as it was hashed: its named members and those in `details`. The stored hash is empty unless the key agrees
-- with the row, and the row is one that the store writes.
select stored.id, timestamp, stored.event_id,
    case when key.hash = stored.hash and not dead and stored.id = position and hash_algorithm = 'SHA-256'
        and not coalesce(details ?| %s::text[], false) then encode(stored.hash, 'hex') else '' end,
    (jsonb_strip_nulls(jsonb_build_object(
        'eventId', stored.event_id,
        'timestamp', to_char(timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'action', action, 'status', status, 'principalId', principal_id, 'organizationId', organization_id,
        'targetResourceType', target_resource_type, 'targetResourceId', target_resource_id,
        'outcomeDescription', outcome_description, 'ttl', ttl, 'correlationId', correlation_id,
        'dataClassification', data_classification, 'retentionPolicy', retention_policy, 'eventVersion', event_version
    )) || coalesce(details, '{}'))::text
from (
    select * from audit_log where (id, timestamp) > (%s, %s::timestamptz) and id <= %s order by id, timestamp limit %s
) as stored left join audit_event_key key using (event_id) order by stored.id, timestamp

-- name: log
with entry as (
    insert into audit_integrity_log
        (audit_log_id, timestamp, verification_status, verified_by, verification_method, verification_details)
    select id, timestamp, case when computed is null then 'verified' else 'mismatch' end, %s, %s,
        case when computed is not null then jsonb_build_object('stored', stored, 'computed', computed) end
    from unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::text[]) as seen (id, timestamp, stored, computed)
    returning 1
)
insert into audit_head (lane, rows, sum) select -2, count(*), 0 from entry
on conflict (lane) do update set rows = audit_head.rows + excluded.rows

-- name: lost
select count(*) over (), event_id from audit_event_key key
where not dropped and not case when dead
    then exists (select from audit_dead_letter letter where letter.event_id = key.event_id)
    else exists (select from audit_log stored where stored.event_id = key.event_id) end
order by event_id limit %s

-- name: doubled
select count(*) over (), event_id from audit_log group by event_id having count(*) > 1 limit %s

-- name: dead_letters
-- The stored hash is empty unless the id has a key that says it is dead.
select letter.id, letter.event_id, event, case when dead then encode(hash, 'hex') else '' end
from audit_dead_letter letter left join audit_event_key key using (event_id) where letter.id > %s order by 1 limit %s

-- name: heads
-- By how many rows and entries of the integrity log the heads differ from the tables, in one snapshot; 1 if only the sum
-- of the rows' numbers differs. `insert` describes the heads.
select case when difference > 0 then difference when sum <> measured then 1 else 0 end
from (select count(*), coalesce(sum(hashbyteaextended(hash, id)), 0) from audit_log) as there (found, measured), (
    select coalesce(sum(rows) filter (where lane <> -2), 0),
        coalesce(sum(sum), 0), coalesce(sum(rows) filter (where lane = -2), 0) from audit_head
) as head (rows, sum, logged),
lateral (select abs(rows - found) + abs(logged - (select count(*) from audit_integrity_log))) as by (difference)
