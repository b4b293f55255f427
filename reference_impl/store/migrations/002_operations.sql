-- What operating it takes: dead letters in full, presets, retention policies, the integrity log.

alter table audit_dead_letter
    add error_class text not null default '',
    add stack text not null default '',  -- files, lines and functions; never what was in them
    add archived_at timestamptz;
create index on audit_dead_letter (first_failed_at) where archived_at is null;

-- A key whose event died has no row in audit_log; any other without a row has lost it.
alter table audit_event_key add dead boolean not null default false;
update audit_event_key set dead = true from audit_dead_letter letter where letter.event_id = audit_event_key.event_id;

create table audit_preset (
    name text primary key,
    description text,
    organization_id text,                -- null: of any organization
    action text,                         -- null: any action
    data_classification text check (data_classification in ('PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'PHI')),
    required_fields text[] not null default '{}',
    default_values jsonb not null default '{}' check (jsonb_typeof(default_values) = 'object'),
    validation jsonb not null default '{}' check (jsonb_typeof(validation) = 'object'),
    created_at timestamptz not null default now(),
    created_by text not null default current_user,
    updated_at timestamptz not null default now(),
    updated_by text not null default current_user,
    unique nulls not distinct (organization_id, action)
);

create table audit_retention_policy (
    policy_name text primary key,        -- what an event's retentionPolicy names
    data_classification text,            -- and the class whose events it holds for besides
    retention_days integer not null check (retention_days > 0),
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table audit_integrity_log (
    id bigint generated always as identity primary key,
    audit_log_id bigint not null,
    timestamp timestamptz not null,
    verification_timestamp timestamptz not null default now(),
    verification_status text not null check (verification_status in ('verified', 'mismatch')),
    verified_by text not null,
    verification_method text not null,
    verification_details jsonb,
    created_at timestamptz not null default now(),
    foreign key (audit_log_id, timestamp) references audit_log (id, timestamp)
);
create index on audit_integrity_log (audit_log_id, timestamp);
create index on audit_integrity_log (verification_timestamp) where verification_status = 'mismatch';
