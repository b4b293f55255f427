"""Dead letters against a model: an id is new, dead, stored or dropped, whatever is delivered, replayed or killed."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import uuid
from functools import partial
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from prometheus_client import REGISTRY

from reference_impl.dead_letters import repository
from reference_impl.dead_letters.isolation import OWN_FAULT, Isolation
from reference_impl.dead_letters.replay import Outcome, replay
from reference_impl.operations import dead_letter_operations, maintenance
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import Store
from tests.reference_impl.conftest import row, until
from tests.reference_impl.test_store import REFUSE, batch, isolate, put, stored, with_store

MOODY = """
create table mood (refuses boolean not null);
insert into mood values (true);
grant select on mood to public;
create function refuse() returns trigger language plpgsql as $$
begin
  if new.action = 'poison' and (select refuses from mood) then raise exception 'no' using errcode = '22023'; end if;
  return new;
end $$;
create trigger refuse before insert on audit_log for each row execute function refuse()
"""
EMPTY = "truncate audit_log, audit_dead_letter, audit_event_key, audit_conflict, audit_integrity_log"

ROWS = [row(n, action=action) for n, action in enumerate(["poison", "poison", "fine"])]
one_of_them = st.integers(0, len(ROWS) - 1)


class Letters(RuleBasedStateMachine):
    """What the store holds is what a dictionary would: id → how often it failed, or 'stored', or 'dropped'."""

    def __init__(self, settings: Settings, admin: psycopg.Connection[Any]) -> None:
        super().__init__()
        self.settings, self.admin = settings, admin
        self.runner = asyncio.Runner()
        self.model: dict[int, int | str] = {}
        self.refuses = True

    @initialize()
    def begin(self) -> None:
        self.admin.execute(EMPTY)
        self.admin.execute("update mood set refuses = true")
        self.stores = [self.runner.run(self._store()) for _ in range(2)]

    async def _store(self) -> Store:
        store = Store(await connections.connect_without_timeouts(self.settings), self.settings)
        await store.prepare()
        return store

    def teardown(self) -> None:
        for store in getattr(self, "stores", []):
            self.runner.run(connections.close(store.connection))
        self.runner.close()

    @rule(refuses=st.booleans())
    def mood(self, refuses: bool) -> None:
        self.refuses = refuses
        self.admin.execute("update mood set refuses = %s", [refuses])

    @rule(n=one_of_them)
    def deliver(self, n: int) -> None:
        self.runner.run(deliver(self.stores[0], ROWS[n]))
        self._delivered(n)

    @rule(n=one_of_them)
    def replay(self, n: int) -> None:
        assert self.runner.run(replay(self.stores[0], uuid.UUID(ROWS[n].event_id))) == self._replayed(n)

    @rule(n=one_of_them)
    def replay_twice_at_once(self, n: int) -> None:
        async def both() -> list[Outcome]:
            return await asyncio.gather(*(replay(store, uuid.UUID(ROWS[n].event_id)) for store in self.stores))

        assert self.runner.run(both()) == [self._replayed(n), self._replayed(n)]

    @rule(n=one_of_them)
    def replay_while_it_is_delivered_again(self, n: int) -> None:
        if n not in self.model:
            return

        async def both() -> Outcome:
            name = uuid.UUID(ROWS[n].event_id)
            return (await asyncio.gather(replay(self.stores[0], name), deliver(self.stores[1], ROWS[n])))[0]

        assert self.runner.run(both()) == self._replayed(n)

    @rule(n=one_of_them)
    def drop(self, n: int) -> None:
        dropped = self.runner.run(repository.drop(self.stores[0].connection, uuid.UUID(ROWS[n].event_id)))
        assert dropped == isinstance(self.model.get(n), int)
        if dropped:
            self.model[n] = "dropped"

    def _delivered(self, n: int) -> None:
        poison = self.refuses and ROWS[n].line.find("poison") > 0
        self.model.setdefault(n, 1 if poison else "stored")

    def _replayed(self, n: int) -> Outcome:
        state = self.model.get(n)
        if isinstance(state, int):
            self.model[n] = state + 1 if self.refuses else "stored"
            return Outcome.REFUSED if self.refuses else Outcome.STORED
        return Outcome.STORED if state == "stored" else Outcome.ABSENT

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        names = {ROWS[n].event_id: n for n in range(len(ROWS))}
        stored = [names[str(i)] for (i,) in self.admin.execute("select event_id from audit_log")]
        assert sorted(stored) == sorted(n for n, state in self.model.items() if state == "stored")
        dead = self.admin.execute("select event_id, attempts, jsonb_array_length(history) from audit_dead_letter")
        assert {(names[str(i)], a, h) for i, a, h in dead} == {
            (n, state, state) for n, state in self.model.items() if isinstance(state, int)
        }
        keys = self.admin.execute("select event_id, dead from audit_event_key")
        assert {names[str(i)]: d for i, d in keys} == {n: state != "stored" for n, state in self.model.items()}


async def deliver(store: Store, one: Row) -> None:
    try:
        await store.store([one])
    except psycopg.DataError:
        await Isolation(store, [one], OWN_FAULT, []).run()


@pytest.mark.slow
def test_the_store_holds_what_the_model_holds(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    admin.execute(MOODY)
    bounded = examples(
        max_examples=15, stateful_step_count=15, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(partial(Letters, settings, admin), settings=bounded)  # type: ignore[arg-type]


def letter_of(settings: Settings, event_id: str) -> repository.StoredDeadLetter | None:
    found: repository.StoredDeadLetter | None = with_store(
        settings, lambda store: repository.find(store.connection, uuid.UUID(event_id))
    )
    return found


def test_a_letter_tells_all_and_its_stack_tells_no_content(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    admin.execute(REFUSE.format(code="22023"))
    rows = [row(action="poison secret-17")]
    isolate(settings, rows)
    letter = letter_of(settings, rows[0].event_id)
    assert letter is not None
    assert letter.event.encode() == rows[0].event
    assert letter.error_class == "psycopg.errors.InvalidParameterValue"
    assert [line.split()[1] for line in letter.stack.splitlines()][:2] == ["_insert", "insert"]
    assert "secret" not in f"{letter.stack}{letter.cause}{letter.error_class}{letter.history}"
    assert (letter.attempts, letter.history[0]["sqlstate"], letter.history[0]["failure"]) == (1, "22023", "data")
    assert letter.first_failed_at == letter.last_failed_at
    assert letter.archived_at is None


def test_numbers_tell_how_many_since_when_and_why(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    admin.execute(REFUSE.format(code="22023"))
    for n in range(3):
        isolate(settings, [row(n, action="poison")])
    admin.execute(REFUSE.format(code="22003"))
    isolate(settings, [row(action="poison")])
    (newest,) = admin.execute("select max(last_failed_at) from audit_dead_letter").fetchall()[0]
    admin.execute(
        "update audit_dead_letter set first_failed_at = first_failed_at - interval '2 days',"
        " last_failed_at = last_failed_at - interval '1 day' where id = 1"
    )
    with_store(settings, lambda store: maintenance.count(store.connection, newest))

    def gauge(name: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(f"reference_dead_letters{name}", labels)

    assert (gauge(""), gauge("_today")) == (4, 3)
    assert gauge("_newest_seconds") == pytest.approx(newest.timestamp())
    assert 86_400 <= newest.timestamp() - (gauge("_oldest_seconds") or 0) < 3 * 86_400
    assert gauge("_by_cause", cause="data: SQLSTATE 22023 (InvalidParameterValue)") == 3
    assert gauge("_by_cause", cause="data: SQLSTATE 22003 (NumericValueOutOfRange)") == 1


def test_a_foreign_entry_is_never_replayed(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    name = uuid.uuid4()
    admin.execute("insert into audit_event_key (event_id, hash, dead) values (%s, '', true)", [name])
    admin.execute(
        "insert into audit_dead_letter (event_id, event, cause, attempts, first_failed_at, last_failed_at, history)"
        " values (%s, %s, 'no event of ours', 1, now(), now(), '[]')",
        [name, b"\xff\x00"],
    )

    async def do(store: Store) -> Outcome:
        return await replay(store, name)

    assert with_store(settings, do) is Outcome.REFUSED
    letter = letter_of(settings, str(name))
    assert letter is not None
    assert letter.attempts == 1


def test_a_store_at_fault_refuses_no_letter(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    admin.execute(REFUSE.format(code="22023"))
    poison = batch("poison")
    isolate(settings, poison)
    admin.execute(REFUSE.format(code="53100"))
    with pytest.raises(psycopg.errors.DiskFull):
        with_store(settings, lambda store: replay(store, uuid.UUID(poison[0].event_id)))
    letter = letter_of(settings, poison[0].event_id)
    assert letter is not None
    assert letter.attempts == 1


def test_by_command_line_they_are_listed_shown_replayed_and_dropped(
    settings: Settings, admin: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    def command(*words: str) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        dead_letter_operations.arguments(parser)
        code = asyncio.run(dead_letter_operations.run(settings, parser.parse_args(words)))
        return code, capsys.readouterr().out

    admin.execute(REFUSE.format(code="22023"))
    poison = [row(n, action="poison secret-17") for n in range(3)]
    for one in poison:
        isolate(settings, [one])
    ids = [one.event_id for one in poison]
    code, listed = command("list")
    assert (code, [line.split("\t")[0] for line in listed.splitlines()]) == (0, ids)
    assert "secret" not in listed
    assert "secret-17" in command("show", ids[0])[1]
    assert command("replay", ids[0]) == (1, f"{ids[0]}\trefused\n")
    assert command("drop", ids[0]) == (0, f"{ids[0]}\tdropped\n")
    assert command("drop", ids[0]) == (1, f"{ids[0]}\tabsent\n")
    assert command("show", ids[0]) == (1, f"{ids[0]}\tabsent\n")
    admin.execute("drop trigger refuse on audit_log")
    both = "".join(f"{i}\tstored\n" for i in ids[1:])
    assert command("replay", "--all") == (0, both)
    assert command("replay", ids[1], ids[2]) == (0, both)
    assert command("replay", ids[0]) == (1, f"{ids[0]}\tabsent\n")
    assert sorted(i for i, _ in stored(admin)) == sorted(ids[1:])
    assert put(settings, poison)[0].stored == 0  # what was dropped stays dead
    assert command("list") == (0, "")


@pytest.mark.slow
def test_a_replay_killed_in_between_has_done_nothing(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    admin.execute(REFUSE.format(code="22023"))
    poison = batch("poison")
    isolate(settings, poison)
    admin.execute("drop trigger refuse on audit_log")

    async def waits() -> Any:
        return admin.execute("select pid from pg_stat_activity where wait_event_type = 'Lock'").fetchone()

    with psycopg.connect(settings.database_url) as holder, holder.transaction():
        holder.execute("lock table audit_log")
        doomed = subprocess.Popen(
            [sys.executable, "-m", "reference_impl", "dead-letters", "replay", poison[0].event_id],
            env={"DATABASE_URL": settings.database_url, "ATTEMPT_TIMEOUT_S": "30"},
        )
        asyncio.run(until(waits))
        os.kill(doomed.pid, signal.SIGKILL)
        doomed.wait()
    assert letter_of(settings, poison[0].event_id) is not None
    assert stored(admin) == []
    again = [sys.executable, "-m", "reference_impl", "dead-letters", "replay", poison[0].event_id]
    done = subprocess.run(again, env={"DATABASE_URL": settings.database_url}, capture_output=True, check=True)
    assert done.stdout.decode() == f"{poison[0].event_id}\tstored\n"
    assert [i for i, _ in stored(admin)] == [poison[0].event_id]
    assert letter_of(settings, poison[0].event_id) is None
