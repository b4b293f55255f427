"""The schema `shaketable`, in which faults create their objects. A comment marks it, because only its creator drops it.

A database of users may hold a schema of the same name: nothing is created in it, and it is never dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg  # the supervisor imports this module, and starts faster without

NAME = "shaketable"
#: The comment on a schema that the harness has created.
MARK = "Made by shaketable for the faults of a run. The run drops this schema and all objects in it."
_OURS = f"(select obj_description(oid, 'pg_namespace') = '{MARK}' from pg_namespace where nspname = '{NAME}')"

#: Creates the schema, or fails if there is one without the mark.
CREATE = f"""
do $$ begin
    perform pg_advisory_xact_lock(hashtext('{NAME}'));  -- two faults may begin at once
    if to_regnamespace('{NAME}') is null then
        create schema {NAME};
        comment on schema {NAME} is '{MARK}';
    elsif {_OURS} is not true then
        raise 'the schema {NAME} does not belong to the harness: rename it';
    end if;
end $$
"""
#: Removes all objects that faults have created in a database: they are in this schema, or depend on one in it.
DROP = f"do $$ begin if {_OURS} then drop schema {NAME} cascade; end if; end $$"


def is_foreign(connection: psycopg.Connection[Any]) -> bool:
    """Whether there is a schema of the name that the harness has not created."""
    query = f"select to_regnamespace('{NAME}') is not null and {_OURS} is not true"
    row = connection.execute(query.encode()).fetchone()
    return bool(row and row[0])
