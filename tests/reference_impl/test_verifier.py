"""The verifier: every hostile value hashes as it did at intake; whatever is changed or gone is found, and named."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from reference_impl.dead_letters import repository
from reference_impl.operations import integrity
from reference_impl.operations.integrity import Verified
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.copy_row import Row
from tests.reference_impl.conftest import row
from tests.reference_impl.test_retention import policy, retained
from tests.reference_impl.test_store import REFUSE, batch, isolate, put, with_store

HOSTILE: list[dict[str, Any]] = [
    {"ttl": 5.0, "n": [1.5, -0.0, 1e300, 5e-324, 1e21, 12345678901234567890, None, True], "o": {"a": None, "b": {}}},
    {"outcomeDescription": "", "principalId": None, "details": {"details": 1}, "hash": "mine", "é": "\u2028😀\x7f"},
    {"timestamp": "2000-02-29T23:59:59.999999-00:30", "": [], "a\\b": '"\t\n'},
]
text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


def verified(settings: Settings, batch: int = integrity.BATCH) -> Verified:
    async def run() -> Verified:
        connection = await connections.connect_without_timeouts(settings)
        try:
            return await integrity.verify(connection, "test", batch, settings.hash_key)
        finally:
            await connections.close(connection)

    return asyncio.run(run())


def test_what_was_stored_and_not_touched_is_verified_batch_by_batch(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    put(settings, [row(n, **HOSTILE[n % 3]) for n in range(25)])
    assert verified(settings, batch=10) == Verified(verified=25)
    logged = admin.execute(
        "select count(*), count(distinct audit_log_id), min(verification_status), max(verification_status),"
        " min(verified_by), min(verification_method), count(verification_details) from audit_integrity_log"
    ).fetchone()
    assert logged == (25, 25, "verified", "verified", "test", "SHA-256 of RFC 8785", 0)


@pytest.mark.slow
def test_whatever_intake_takes_hashes_the_same_once_it_is_stored(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    rows: list[Row] = []

    @examples(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(text.filter(lambda name: name not in {"eventId", "ttl"}), values, max_size=4))
    def draw(members: dict[str, Any]) -> None:
        rows.append(row(len(rows), **{f"x{name}": value for name, value in members.items()}))

    draw()
    put(settings, rows)
    assert verified(settings) == Verified(verified=len(rows))


CHANGES = [
    "action = 'read'",
    "timestamp = timestamp + interval '1 us'",
    "ttl = 1",
    "principal_id = ''",
    "hash = '\\x00'",
    "details = details || '{\"n\": 2}'",
    "event_version = null",
]


def test_a_change_of_a_row_is_found_and_named(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    rows = [row(n, n=1, eventVersion="1") for n in range(2 * len(CHANGES))]
    put(settings, rows)
    changed = [one.event_id for one in rows[::2]]
    for event_id, change in zip(changed, CHANGES, strict=True):
        admin.execute(f"update audit_log set {change} where event_id = %s", [event_id])
    assert verified(settings, batch=4) == Verified(
        len(CHANGES), len(CHANGES), 0, changed, unaccounted=1
    )  # a hash is in a head
    logged = admin.execute(
        "select verification_details from audit_integrity_log where verification_status = 'mismatch'"
    )
    assert all(details["stored"] != details["computed"] for (details,) in logged)
    admin.execute("update audit_log set event_id = gen_random_uuid() where event_id = %s", [rows[1].event_id])
    found = verified(settings)
    assert (found.mismatched, found.lost) == (len(CHANGES) + 1, 1)


def test_a_row_that_is_gone_is_lost_but_neither_the_dead_nor_what_retention_dropped(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    rows = [row(n, timestamp="2026-11-01T00:00:00Z") for n in range(3)]
    old = row(timestamp="2020-01-01T00:00:00Z", retentionPolicy="short")
    put(settings, rows, [old])
    policy(admin, "short", 30)
    assert retained(settings).dropped == ["2020-01"]
    admin.execute(REFUSE.format(code="22023"))
    isolate(settings, batch("poison"))
    (event_id,) = admin.execute("select event_id from audit_dead_letter").fetchall()[0]
    with_store(settings, lambda store: repository.drop(store.connection, event_id))
    assert verified(settings) == Verified(verified=3)
    admin.execute("delete from audit_integrity_log")
    admin.execute("delete from audit_log where event_id = %s", [rows[1].event_id])
    assert verified(settings) == Verified(verified=2, lost=1, members=[rows[1].event_id], unaccounted=1 + 3)


def test_a_logged_row_cannot_be_deleted_from_under_its_log(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    put(settings, [row()])
    verified(settings)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        admin.execute("delete from audit_log")


@pytest.mark.slow
def test_the_command_exits_with_1_for_a_mismatch_and_tells_no_content(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    rows = [row(n, action=f"secret-{n}") for n in range(3)]
    put(settings, rows)

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "reference_impl", "verify"],
            env={"DATABASE_URL": settings.database_url},
            capture_output=True,
            text=True,
            check=False,
        )

    fine = run()
    assert (fine.returncode, json.loads(fine.stdout)["verified"]) == (0, 3)
    admin.execute("update audit_log set action = 'other' where event_id = %s", [rows[0].event_id])
    wrong = run()
    assert wrong.returncode == 1
    assert msgspec.json.decode(wrong.stdout, type=Verified) == Verified(2, 1, 0, [rows[0].event_id])
    assert "secret" not in wrong.stdout + wrong.stderr
