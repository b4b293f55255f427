"""What a job does in PostgreSQL: one event, one transaction."""

from __future__ import annotations

#: `python -m alternatives.common.migrate` makes these; twice is once.
SCHEMA = """
create table if not exists event_key (event_id uuid primary key);
create table if not exists event_log (
    position bigint generated always as identity,
    event_id uuid not null,
    event jsonb not null
);
create table if not exists dead_letter (
    event_id uuid primary key,
    event jsonb not null,
    cause text not null,
    attempts integer not null,
    first_failed_at timestamptz not null,
    last_failed_at timestamptz not null,
    history jsonb not null
);
"""
#: As a quick start would: nothing keeps an event out that is there already, so a job that runs twice shows.
DEFAULTS = "insert into event_log (event_id, event) values (%(event_id)s, %(event)s)"
#: As the manuals ask ("tasks should be idempotent"): the key decides, in the same transaction.
HARDENED = """
with new as (insert into event_key values (%(event_id)s) on conflict do nothing returning event_id)
insert into event_log (event_id, event) select event_id, %(event)s from new
"""
