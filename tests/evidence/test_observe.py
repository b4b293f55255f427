"""What was kept is read as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg import sql

from shaketable import event, libpq, rundir
from shaketable.errors import TargetError
from shaketable.target import stored_rows
from shaketable.target.ingest_table import Ingest
from shaketable.target.manifest import Manifest
from shaketable.target.readers import stored
from shaketable.target.source_tables import Stored
from tests.conftest import Servers

MANIFEST = Manifest(1, "t", Ingest("p"), (), Stored("select event_id, event from kept"))


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400, "-0.0", "9007199254740993"])
def test_number_that_is_kept_to_the_letter_equals_what_was_sent(servers: Servers, number: str) -> None:
    sent = f'{{"action":"x","detail":{number}}}'
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("create table kept (event_id text, event json)")
        connection.execute("insert into kept values ('a', %s)", [sent])
        (row,) = stored.by_sql(connection, MANIFEST)
    written = msgspec.json.encode(row["event"])
    assert event.same(event.parse(sent), event.parse(written)) == []


def kept(connection: psycopg.Connection[Any], sql: str) -> list[dict[str, Any]]:
    """The rows as their lines in the run directory say."""
    return [msgspec.json.decode(msgspec.json.encode(row)) for row in stored_rows.rows(connection, sql, "stored")]


@pytest.mark.parametrize("type_", ["json", "text"])
def test_event_on_several_lines_is_one_line_of_the_run(servers: Servers, tmp_path: Path, type_: str) -> None:
    pretty = '{\r\n  "eventId": "a",\n  "detail": "two\\nlines"\n}\n'
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute(sql.SQL("create table kept (event_id text, event {})").format(sql.SQL(type_)))
        connection.execute("insert into kept values ('a', %s), ('b', %s)", [pretty, pretty])
        rundir.write_lines(tmp_path / rundir.STORED, stored.by_sql(connection, MANIFEST))
    rows = list(rundir.read_lines(tmp_path / rundir.STORED, dict[str, Any]))
    assert [row["event_id"] for row in rows] == ["a", "b"]
    assert rows[0]["event"] == {"eventId": "a", "detail": "two\nlines"}


def test_row_that_fails_hides_no_other(servers: Servers) -> None:
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("create table bodies (id text, body text)")
        for number in range(20):
            body = "no JSON" if number in (3, 11) else f'{{"n":{number}}}'
            connection.execute("insert into bodies values (%s, %s)", [f"e{number:02}", body])
        connection.commit()
        rows = kept(connection, "select id as event_id, body::jsonb as event from bodies")
    assert {row["event_id"] for row in rows} == {f"e{number:02}" for number in range(20)}
    assert {row["event_id"] for row in rows if "unreadable" in row} == {"e03", "e11"}
    assert {row["unreadable"] for row in rows if "unreadable" in row} == {"InvalidTextRepresentation (22P02)"}


@pytest.mark.parametrize(
    "value",
    [
        "'infinity'::timestamptz",
        "'4713-01-01 BC'::timestamptz",
        "'99999-01-01'::date",
    ],
)
def test_time_that_is_none_of_pythons_makes_one_row_unreadable(servers: Servers, value: str) -> None:
    query = f"""select 'a' as event_id, '{{}}'::json as event, {value} as first_failed_at
                union all select 'b', '{{}}', now()"""
    with psycopg.connect(servers.postgres_url) as connection:
        rows = kept(connection, query)
    assert {row["event_id"] for row in rows if "unreadable" in row} == {"a"}
    assert {row["event_id"] for row in rows} == {"a", "b"}


def test_ids_that_fail_leave_the_number_of_rows_open(servers: Servers) -> None:
    query = "select (1 / (n - 5))::text as event_id, '{}'::json as event from generate_series(1, 9) as n"
    with psycopg.connect(servers.postgres_url) as connection:
        *_, last = kept(connection, query)
    assert (last["event_id"], last["more"]) == (None, True)


def test_columns_that_nobody_asked_for_and_odd_types_are_no_hindrance(servers: Servers) -> None:
    query = """select 'a' as event_id, '{"a":"\\ud800"}'::json as event, int4range(1, 3) as odd, 2::numeric as attempts,
               'infinity'::timestamptz as committed_at, '7'::text as position, '"\\ud800"'::json as cause"""
    with psycopg.connect(servers.postgres_url) as connection:
        (row,) = kept(connection, query)
    assert "odd" not in row
    assert (row["attempts"], row["committed_at"], row["position"]) == (2, None, None)
    assert event.same(event.parse('{"a":"\\ud800"}'), event.parse(row["event"])) == []


def test_sql_that_is_wrong_for_every_row_is_told_as_such(servers: Servers) -> None:
    with psycopg.connect(servers.postgres_url) as connection, pytest.raises(TargetError, match="stored"):
        kept(connection, "select 'a' as event_id, '{}'::json as event, 'x'::text as committed_at")


@pytest.mark.parametrize(
    "statement",
    [
        "select 1 as n; create table written (n int)",
        "select 1 as n) as q; create table written (n int); select * from (select 1 as n",
        "with w as (insert into kept values ('b', '{}') returning 1) select * from w",
        "select set_config('transaction_read_only', 'off', false)",
        "select pg_sleep(60)",
    ],
)
def test_sql_of_a_manifest_reads_in_one_statement_and_soon(servers: Servers, statement: str) -> None:
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("create table kept (event_id text, event json)")
    asked = sql.SQL("select count(*) from ({}) as q").format(sql.SQL(statement))
    with pytest.raises(psycopg.Error), libpq.connect_read_only(servers.postgres_url, 0.5) as connection:
        connection.execute(asked, prepare=True).fetchone()
    with psycopg.connect(servers.postgres_url) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)
        assert connection.execute("select to_regclass('written')").fetchone() == (None,)


def test_rows_without_end_are_a_sentence() -> None:
    with pytest.raises(TargetError, match="does it come to an end"):
        list(stored.bounded(iter([{}] * 5), "stored", most=4))
    with pytest.raises(TargetError, match="does it come to an end"):
        list(stored.bounded(iter([{}] * 5), "stored", within_s=-1))
