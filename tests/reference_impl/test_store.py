"""The store: once each, in order, whole or not at all; poison alone is buried."""

from __future__ import annotations

import asyncio
import json
import random
import tomllib
import uuid
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

import reference_impl
from reference_impl.dead_letters.isolation import OWN_FAULT, Isolation
from reference_impl.errors import Failure, RefusedError
from reference_impl.event import event, i_json
from reference_impl.settings import Settings
from reference_impl.store import connections, partitions
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import BatchResult, Store
from tests.reference_impl.conftest import Link, row, store_of

MANIFEST = tomllib.loads((Path(reference_impl.__file__).parent / "target.toml").read_text())


def with_store(settings: Settings, do: Callable[[Store], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        store = await store_of(settings)
        try:
            return await do(store)
        finally:
            await connections.close(store.connection)

    return asyncio.run(run())


def put(settings: Settings, *batches: Sequence[Row]) -> list[BatchResult]:
    async def do(store: Store) -> list[BatchResult]:
        return [await store.store(batch) for batch in batches]

    tallies: list[BatchResult] = with_store(settings, do)
    return tallies


def stored(admin: psycopg.Connection[Any]) -> list[tuple[str, dict[str, Any]]]:
    """(event_id, event) as the manifest's own query tells them, by position."""
    found = admin.execute(f"select * from ({MANIFEST['stored']['sql']}) as s order by position").fetchall()
    return [(str(event_id), event) for event_id, _, _, event in found]


def test_every_member_comes_back_as_it_was_sent(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    sent: dict[str, Any] = {
        "eventId": str(uuid.uuid4()),
        "timestamp": "2026-11-23T10:15:02.123456Z",
        "status": "attempt",
        "action": "a\tb\\c\nd\re",
        "principalId": "\\N",
        "organizationId": "",
        "targetResourceType": "\\.",
        "targetResourceId": "😀\u2028",
        "outcomeDescription": "x" * 8000,
        "ttl": -5,
        "correlationId": "é\x01",
        "dataClassification": "PHI",
        "retentionPolicy": "standard",
        "eventVersion": "1.0",
        "n": [1.5, 1e300, -0.5, 12345678901234567890, None, True],
        "details": {"details": {"a\\b": "\t"}},
        "": {"": []},
        "hash": "mine",
    }
    put(settings, [row(**sent)])
    ((event_id, event),) = stored(admin)
    assert event_id == sent["eventId"]
    assert i_json.canonical(event) == i_json.canonical(sent)


KEYS = (
    "action",
    "principalId",
    "organizationId",
    "correlationId",
    "retentionPolicy",
    "targetResourceType",
    "targetResourceId",
)


def incompressible(size: int) -> str:
    """Text of so many bytes of UTF-8, from an alphabet too wide for any compression."""
    wide = random.Random(1)
    return "".join(chr(wide.randrange(0x10000, 0x110000)) for _ in range(size // 4)) + "x" * (size % 4)


def test_the_longest_keys_that_intake_takes_are_stored(
    settings: Settings, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    longest: dict[str, Any] = dict.fromkeys(KEYS, incompressible(event.KEY_BYTES))
    put(settings, [row(**longest)])
    ((_, kept),) = stored(admin)
    assert {name: kept[name] for name in KEYS} == longest
    for name in KEYS:
        with pytest.raises(RefusedError, match="at most 1024 bytes of UTF-8, got 1025") as error:
            row(0, **{name: incompressible(event.KEY_BYTES + 1)})
        assert (error.value.field, error.value.status) == (name, 422)
    monkeypatch.setattr(event, "KEY_BYTES", 4000)  # the limit is the store's: its indexes refuse such text
    with pytest.raises(psycopg.errors.ProgramLimitExceeded):
        put(settings, [row(targetResourceId=incompressible(2800))])


def test_an_id_is_stored_once_within_a_batch_and_across(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    one, two = row(1, action="one"), row(2, action="two")
    tallies = put(settings, [one, two, one], [two, one])
    assert [(t.stored, t.duplicates, t.conflicts) for t in tallies] == [(2, 1, 0), (0, 2, 0)]
    assert [event["action"] for _, event in stored(admin)] == ["one", "two"]


def test_the_first_content_of_an_id_stays_and_others_are_kept_beside(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    name = str(uuid.uuid4())
    first, other, third = (row(n, eventId=name, action=a) for n, a in enumerate(["first", "other", "third"]))
    tallies = put(settings, [first, other], [third, third, first])
    assert [t.conflicts for t in tallies] == [1, 2]
    assert [event["action"] for _, event in stored(admin)] == ["first"]
    kept = admin.execute("select convert_from(event, 'UTF8')::jsonb ->> 'action' from audit_conflict order by id")
    assert [action for (action,) in kept] == ["other", "third"]


def test_the_time_for_conflicts_does_not_grow_with_round_trips(
    settings: Settings, admin: psycopg.Connection[Any], postgres_link: Link
) -> None:
    rows = [row(n, action="first") for n in range(1000)]
    others = [row(n, eventId=first.event_id, action="other") for n, first in enumerate(rows)]
    put(settings, rows)
    postgres_link.slow(20)
    through = postgres_link.through(settings.database_url)
    [result] = put(msgspec.structs.replace(settings, database_url=through, attempt_timeout_s=6.0, lease_s=10.0), others)
    assert (result.duplicates, result.conflicts) == (1000, 1000)
    kept = admin.execute("select event_id, kept_hash <> hash from audit_conflict order by id").fetchall()
    assert kept == [(uuid.UUID(first.event_id), True) for first in rows]


def test_the_same_id_with_another_timestamp_is_the_same_id(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    name = str(uuid.uuid4())
    put(settings, [row(eventId=name)], [row(eventId=name, timestamp="2011-01-01T00:00:00Z")])
    assert len(stored(admin)) == 1


def test_months_that_together_take_longer_than_an_attempt_are_made_one_after_another(
    settings: Settings, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = msgspec.structs.replace(settings, attempt_timeout_s=3.0, lease_s=10.0)

    async def slow(connection: Any, months: Collection[str]) -> None:
        await asyncio.sleep(0.3 * patient.attempt_timeout_s * len(months))
        await ensure(connection, months)

    ensure = partitions.ensure
    monkeypatch.setattr(partitions, "ensure", slow)
    put(patient, [row(n, timestamp=f"2011-0{n}-01T00:00:00Z") for n in range(1, 5)])
    assert len(stored(admin)) == 4


def test_positions_follow_the_queue_within_a_transaction(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    rows = [row(n, action=f"{n}", timestamp=f"20{n % 20 + 5:02d}-01-01T00:00:00Z") for n in range(300)]
    put(settings, rows)
    assert [event["action"] for _, event in stored(admin)] == [f"{n}" for n in range(300)]
    assert admin.execute("select count(distinct xmin::text), count(distinct position) from audit_log").fetchone() == (
        1,
        300,
    )


REFUSE = """
create or replace function refuse() returns trigger language plpgsql as $$
begin
  if new.action like 'poison%' then raise exception 'no' using errcode = '{code}'; end if;
  return new;
end $$;
create or replace trigger refuse before insert on audit_log for each row execute function refuse()
"""


def isolate(settings: Settings, rows: Sequence[Row], suspected: frozenset[Failure] = OWN_FAULT) -> BatchResult:
    tally: BatchResult = with_store(settings, lambda store: Isolation(store, rows, suspected, []).run())
    return tally


def batch(*actions: str) -> list[Row]:
    return [row(n, action=action) for n, action in enumerate(actions)]


@pytest.mark.parametrize("poison", range(5))
def test_poison_is_buried_and_what_lies_before_it_is_stored(
    settings: Settings, admin: psycopg.Connection[Any], poison: int
) -> None:
    admin.execute(REFUSE.format(code="22023"))
    rows = batch(*("poison" if n == poison else f"{n}" for n in range(5)))
    tally = isolate(settings, rows)
    assert (tally.stored, tally.dead, tally.processed) == (poison, 1, poison + 1)
    assert [event["action"] for _, event in stored(admin)] == [f"{n}" for n in range(poison)]
    (letter,) = admin.execute(MANIFEST["dead_letters"]["sql"]).fetchall()
    event_id, event, cause, attempts, first, last, history = letter
    assert str(event_id) == rows[poison].event_id
    assert event["action"] == "poison"
    assert "22023" in cause
    assert (attempts, first, len(history)) == (1, last, 1)
    assert set(history[0]) == {"at", "failure", "sqlstate"}


def test_a_dead_id_stays_dead(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    admin.execute(REFUSE.format(code="22023"))
    rows = batch("poison")
    isolate(settings, rows)
    admin.execute("drop trigger refuse on audit_log")
    (tally,) = put(settings, rows)
    assert (tally.stored, tally.duplicates) == (0, 1)
    assert stored(admin) == []


def test_what_is_refused_before_it_is_known_for_a_stored_id_counts_as_repeated(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    good = row()
    put(settings, [good])
    tally = isolate(settings, [msgspec.structs.replace(good, line=good.line.replace("2026-11-23T", "nonsense"))])
    assert (tally.duplicates, tally.dead, tally.processed) == (1, 0, 1)
    assert admin.execute("select count(*) from audit_dead_letter").fetchone() == (0,)


def test_an_unknown_failure_is_poison_only_beside_a_neighbour_that_fits(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    admin.execute(REFUSE.format(code="P0001"))
    with pytest.raises(psycopg.errors.RaiseException):
        isolate(settings, batch("poison"))
    with pytest.raises(psycopg.errors.RaiseException):
        isolate(settings, batch("poison", "poison"))
    tally = isolate(settings, batch("poison", "fine"))
    assert (tally.stored, tally.dead, tally.processed) == (0, 1, 1)  # the neighbour waits for its own turn
    assert stored(admin) == []
    tally = isolate(settings, batch("fine", "poison"))
    assert (tally.stored, tally.dead) == (1, 1)


def test_a_neighbour_that_is_stored_already_proves_nothing(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    known = batch("fine")
    put(settings, known)
    admin.execute(REFUSE.format(code="P0001"))
    for around in ([*known, *batch("poison")], [*batch("poison"), *known]):
        with pytest.raises(psycopg.errors.RaiseException):
            isolate(settings, around)
    tally = isolate(settings, [*batch("poison"), *known, *batch("also fine")])
    assert (tally.stored, tally.dead, tally.processed) == (0, 1, 1)
    tally = isolate(settings, [*known, *batch("fine too"), *batch("poison")])
    assert (tally.stored, tally.duplicates, tally.dead) == (1, 1, 1)


def test_a_store_that_fails_is_no_poison(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    admin.execute(REFUSE.format(code="53100"))
    with pytest.raises(psycopg.errors.DiskFull):
        isolate(settings, batch("a", "poison"))
    assert stored(admin) == []


def test_a_beat_counts_the_dead_letters(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    admin.execute(REFUSE.format(code="22023"))
    isolate(settings, batch("poison"))
    admin.execute("update audit_dead_letter set last_failed_at = now() - interval '1 hour'")
    isolate(settings, batch("poison"))
    assert with_store(settings, lambda store: store.heartbeat()) == (2, 1)


def test_no_event_content_reaches_a_log(
    settings: Settings, admin: psycopg.Connection[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    admin.execute(REFUSE.format(code="22023"))
    isolate(settings, [row(action="poison secret-17")])
    assert "secret-17" not in json.dumps(capfd.readouterr())
