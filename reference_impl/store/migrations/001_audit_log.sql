-- Where accepted events end up. All of it belongs to the database's owner, who is no superuser.

create sequence audit_position;

create table audit_log (
    id bigint not null,
    position bigint not null,            -- order of storing: assigned in the storing transaction, in queue order
    event_id uuid not null,              -- unique through audit_event_key: an index here could not leave out timestamp
    timestamp timestamptz not null,
    ttl bigint,                          -- seconds
    principal_id text,
    organization_id text,
    action text not null,
    target_resource_type text,
    target_resource_id text,
    status text not null check (status in ('attempt', 'success', 'failure')),
    outcome_description text,
    hash bytea not null,                 -- of the canonical event
    hash_algorithm text not null default 'SHA-256',
    event_version text,
    correlation_id text,
    data_classification text check (data_classification in ('PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'PHI')),
    retention_policy text,
    processing_latency double precision, -- milliseconds from the queue's acceptance to the storing statement
    archived_at timestamptz,
    details jsonb,                       -- every member that has no column
    primary key (id, timestamp)
) partition by range (timestamp);

create index on audit_log (event_id);
create index on audit_log (timestamp);
create index on audit_log (organization_id, timestamp);
create index on audit_log (principal_id, timestamp);
create index on audit_log (action, timestamp);
create index on audit_log (target_resource_type, target_resource_id);
create index on audit_log (correlation_id);
create index on audit_log (data_classification, timestamp);
create index on audit_log (retention_policy, timestamp);

-- Every id that was ever stored or died, once.
create table audit_event_key (
    event_id uuid primary key,
    hash bytea not null
);

-- The same id with other content: the first stays, the others are kept here.
create table audit_conflict (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    hash bytea not null,
    kept_hash bytea not null,
    event bytea not null,
    seen_at timestamptz not null default now()
);
create index on audit_conflict (event_id);

create table audit_dead_letter (
    id bigint generated always as identity primary key,
    event_id uuid not null unique,
    event bytea not null,                -- as it lay in the queue
    cause text not null,
    attempts integer not null,
    first_failed_at timestamptz not null,
    last_failed_at timestamptz not null,
    history jsonb not null               -- [{at, sqlstate, failure}], oldest first
);
create index on audit_dead_letter (last_failed_at);

-- Which worker last wrote for which lane: a beat is a committed write, so that it proves what a batch needs.
create table audit_beat (
    worker text not null,
    lane integer not null,               -- −1: a trial without a lane
    beaten_at timestamptz not null,
    primary key (worker, lane)
);
