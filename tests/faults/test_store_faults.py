"""Faults inside the database: exactly k writes fail, exactly the chosen events are refused; healed, nothing is."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import psycopg
import pytest

from shaketable.errors import ScenarioError
from shaketable.event import ids
from shaketable.faults import FailNext, RejectRows
from shaketable.faults.context import RunContext
from shaketable.faults.kinds import triggers
from shaketable.faults.kinds.reject_rows import UNSEEN
from shaketable.op import Op
from shaketable.stack.stack import Stack
from shaketable.stack.undo import DATABASE_AS_IT_WAS, Statements
from shaketable.target.target import Target
from tests.conftest import Servers
from tests.support.cases import nightly

EVERY_STACK = True

IDS = [str(uuid.UUID(int=n << 96 | 1)) for n in range(0, 2**32, 2**32 // 50)]


class Here:
    """A stack whose database is this test's own."""

    def __init__(self, url: str) -> None:
        self._url, self.toxiproxy, self.own = url, SimpleNamespace(), dict[str, object]()

    def admin_url(self) -> str:
        return self._url


class Aimed:
    """What these faults ask of a target: the relation, and which processes a name means."""

    class manifest:  # noqa: N801
        name, store, queue_service = "tested", "postgres", "redis"

        class stored:  # noqa: N801
            relation = "kept"

    def named(self, name: str) -> list[object]:
        if name not in ("worker", "worker-1"):
            raise ScenarioError(f"no process {name}")
        return [type("Instance", (), {"name": "worker-1"})()]


@pytest.fixture
def context(servers: Servers) -> Iterator[RunContext]:
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("create table kept (id uuid, month date) partition by range (month)")
        connection.execute("create table kept_all partition of kept for values from ('2000-01-01') to ('2100-01-01')")
    ops: list[Op] = []
    stack, target = cast(Stack, Here(servers.superuser_url)), cast(Target, Aimed())
    with RunContext(stack, target, ops.append, lambda: IDS) as made:
        yield made


def write(servers: Servers, event_id: str = IDS[-1], name: str = "worker-1.1") -> str:
    """Store one row as the target would; returns the SQLSTATE it got, or "stored"."""
    with psycopg.connect(servers.postgres_url, application_name=name) as connection:
        try:
            connection.execute("insert into kept values (%s, '2026-01-01')", [event_id])
        except psycopg.Error as e:
            return str(e.sqlstate)
    return "stored"


def test_exactly_k_writes_fail(servers: Servers, context: RunContext) -> None:
    fault = FailNext(3)
    fault.inject(context)
    assert not fault.witness(context).landed
    assert [write(servers) for _ in range(5)] == ["53100"] * 3 + ["stored"] * 2
    assert fault.witness(context).landed
    assert fault.witness(context).figure == 3


def test_writes_of_other_processes_do_not_count(servers: Servers, context: RunContext) -> None:
    FailNext(1, process="worker-1").inject(context)
    assert write(servers, name="worker-2.1") == "stored"
    assert write(servers, name="worker-1.1") == "53100"


def test_writes_of_processes_whose_names_begin_alike_do_not_count(servers: Servers, context: RunContext) -> None:
    FailNext(1, process="worker-1").inject(context)
    assert write(servers, name="worker-10.1") == "stored"
    assert write(servers, name="worker-1.12") == "53100"


def test_events_refused_before_are_no_witness_of_a_second_injection(servers: Servers, context: RunContext) -> None:
    fault = RejectRows(0.1)
    fault.inject(context)
    write(servers, fault.chosen(IDS)[0])
    assert fault.witness(context).landed
    fault.heal(context)
    fault.inject(context)
    assert not fault.witness(context).landed
    write(servers, fault.chosen(IDS)[0])
    assert (fault.witness(context).landed, fault.witness(context).figure) == (True, 1)


def test_a_second_injection_counts_anew(servers: Servers, context: RunContext) -> None:
    for _ in range(2):
        FailNext(1).inject(context)
        assert [write(servers), write(servers)] == ["53100", "stored"]
        FailNext(1).heal(context)


def test_exactly_the_chosen_events_are_refused_and_counted(servers: Servers, context: RunContext) -> None:
    fault = RejectRows(0.1)
    poison = fault.chosen(IDS)
    assert 0 < len(poison) < len(IDS)
    fault.inject(context)
    assert not fault.witness(context).landed
    told = {event_id: write(servers, event_id) for event_id in IDS}
    assert {event_id for event_id, state in told.items() if state == "22023"} == set(poison)
    assert fault.witness(context).figure == len(poison)


@pytest.mark.parametrize("id_format", ["ulid", nightly("integer")])
def test_events_with_other_ids_are_refused_as_well(servers: Servers, context: RunContext, id_format: str) -> None:
    made = [ids.maker(id_format)(rng, n) for rng in [random.Random(1)] for n in range(100)]
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("alter table kept add event jsonb")
    stack, target = cast(Stack, Here(servers.superuser_url)), cast(Target, Aimed())
    fault, told = RejectRows(0.2), dict[str, str]()
    with RunContext(stack, target, lambda _: None, lambda: made) as own:
        fault.inject(own)
        for event_id in made:
            event = {"order": {"id": int(event_id) if id_format == "integer" else event_id}, "other": f"x{event_id}"}
            with psycopg.connect(servers.postgres_url) as connection:
                try:
                    connection.execute("insert into kept values (%s, '2026-01-01', %s)", [IDS[0], json.dumps(event)])
                    told[event_id] = "stored"
                except psycopg.Error as e:
                    told[event_id] = str(e.sqlstate)
        poison = {ids.of_row(text, id_format) for text in fault.chosen(made)}
        assert 5 < len(poison) < 50
        assert {event_id for event_id, state in told.items() if state == "22023"} == poison
        assert fault.witness(own).figure == len(poison)


def test_an_event_is_refused_with_the_code_that_is_asked_for(servers: Servers, context: RunContext) -> None:
    fault = RejectRows(0.1, sqlstate="40001")
    fault.inject(context)
    assert write(servers, fault.chosen(IDS)[0]) == "40001"
    assert fault.label == "10.0% of the events are poison (40001)"


@pytest.mark.parametrize("column", ["jsonb", nightly("json"), nightly("text")])
def test_event_whose_id_lies_inside_json_is_refused(servers: Servers, context: RunContext, column: str) -> None:
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("drop table kept")
        connection.execute(f"create table kept (n serial, body {column})".encode())
    fault = RejectRows(0.1)
    fault.inject(context)
    told = {}
    for event_id in IDS:
        with psycopg.connect(servers.postgres_url, autocommit=True) as connection:
            body = json.dumps({"event": {"eventId": event_id.upper(), "action": "test"}})
            try:
                connection.execute("insert into kept (body) values (%s)", [body])
            except psycopg.Error as e:
                told[event_id] = e.sqlstate
    assert told == dict.fromkeys(fault.chosen(IDS), "22023")
    assert fault.witness(context).landed


@pytest.mark.parametrize("text", [r"\u0000", r"\ud800", "1e400"], ids=["nul", "half a surrogate", "huge number"])
def test_an_event_that_json_keeps_and_jsonb_cannot_is_no_poison(
    servers: Servers, context: RunContext, text: str
) -> None:
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("alter table kept add column event json")
    RejectRows(0.1).inject(context)
    body = f'{{"eventId": "{IDS[-1]}", "note": "{text}"}}'
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("insert into kept values (%s, '2026-01-01', %s)", [IDS[-1], body])
    with pytest.raises(psycopg.errors.InvalidParameterValue), psycopg.connect(servers.postgres_url) as connection:
        connection.execute("insert into kept values (%s, '2026-01-01', %s)", [IDS[0], body])


def test_rows_in_which_no_id_is_found_are_named(servers: Servers, context: RunContext) -> None:
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("drop table kept")
        connection.execute("create table kept (body bytea)")
    fault = RejectRows(1)
    fault.inject(context)
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("insert into kept values (%s)", [IDS[0].encode()])
    seen = fault.witness(context)
    assert (seen.landed, UNSEEN.format("kept") in seen.text) == (False, True)


@pytest.mark.parametrize("code", ["", "4000", "00000", "22023'", "40001x"])
def test_what_is_no_error_code_is_told(code: str) -> None:
    with pytest.raises(ScenarioError, match="expected an error's SQLSTATE"):
        RejectRows(sqlstate=code)


def test_refusals_are_known_after_healing(servers: Servers, context: RunContext) -> None:
    fault = RejectRows(0.1)
    fault.inject(context)
    poison = fault.chosen(IDS)
    write(servers, poison[0])
    fault.heal(context)
    assert write(servers, poison[0]) == "stored"
    with triggers.admin(context) as connection:
        assert dict(triggers.refused(connection)) == {event_id: int(event_id == poison[0]) for event_id in poison}


@pytest.mark.parametrize("fault", [FailNext(2), RejectRows(1)])
def test_healing_twice_and_before_injecting_is_harmless(
    servers: Servers, context: RunContext, fault: FailNext | RejectRows
) -> None:
    fault.heal(context)
    fault.inject(context)
    fault.heal(context)
    fault.heal(context)
    assert write(servers) == "stored"


def test_healing_and_an_insert_under_way_do_not_wait_for_each_other_in_a_circle(
    servers: Servers, context: RunContext
) -> None:
    fault = RejectRows(0.1)
    fault.inject(context)
    with psycopg.connect(servers.postgres_url) as writer, psycopg.connect(servers.superuser_url) as watcher:
        writer.execute("lock table only kept in row exclusive mode")  # as an insert does before it knows the partition
        healing = threading.Thread(target=fault.heal, args=[context])
        healing.start()
        deadline = time.monotonic() + 20
        while not waits(watcher) and time.monotonic() < deadline:
            time.sleep(0.01)
        writer.execute("insert into kept values (%s, '2026-01-01')", [IDS[-1]])
        writer.commit()
        healing.join(20)
    assert write(servers, fault.chosen(IDS)[0]) == "stored"


def waits(watcher: psycopg.Connection[tuple[object, ...]]) -> bool:
    watcher.commit()
    row = watcher.execute("select exists (select from pg_locks where not granted and locktype = 'relation')").fetchone()
    return bool(row and row[0])


def test_fault_aimed_at_nothing_says_so(context: RunContext) -> None:
    with pytest.raises(ScenarioError, match="nobody"):
        FailNext(1, process="nobody").targets(context)


@pytest.mark.parametrize("share", [0, -1, 1.5])
def test_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ScenarioError, match="share"):
        RejectRows(share)


def test_failing_no_write_is_refused() -> None:
    with pytest.raises(ScenarioError, match="got 0"):
        FailNext(0)


def test_what_a_killed_harness_left_in_a_database_is_taken_back(servers: Servers, context: RunContext) -> None:
    RejectRows(share=1.0).inject(context)
    FailNext(k=1).inject(context)
    with psycopg.connect(servers.superuser_url, autocommit=True) as admin:
        admin.execute("alter system set default_transaction_read_only = on")
        admin.execute("select pg_reload_conf()")
    await_stored(servers, False)
    Statements(servers.superuser_url, DATABASE_AS_IT_WAS).perform()
    await_stored(servers, True)
    Statements(servers.superuser_url, DATABASE_AS_IT_WAS).perform()  # nothing to do is no harm


def await_stored(servers: Servers, stored: bool) -> None:
    """A reload takes a moment."""
    deadline = time.monotonic() + 20
    while (write(servers) == "stored") is not stored:
        assert time.monotonic() < deadline
        time.sleep(0.05)
