"""A COMMIT whose reply is lost: stored, and its client does not know; on a real Postgres, through a real link."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any, cast

import psycopg
import pytest

from shaketable.errors import HarnessError, ScenarioError
from shaketable.faults import CommitReplyLost
from shaketable.faults.context import RunContext
from shaketable.stack.stack import Link, Stack
from shaketable.target.target import Target
from tests.conftest import Servers
from tests.support.waits import await_that

EVERY_STACK = True

MARK = "9e107d9d-0000-4000-8000-000000000001"


class Here:
    """The stack, but with this test's own database."""

    def __init__(self, servers: Servers, links: list[Link]) -> None:
        self._servers, self.links, self.toxiproxy = servers, links, servers.stack.toxiproxy
        self.own, self.need = servers.stack.own, servers.stack.need

    def admin_url(self) -> str:
        return self._servers.superuser_url

    def proxy(self, link: Link) -> str:
        return self._servers.stack.proxy(link)


class Aimed:
    """What this fault asks of a target: the relation, and which processes a name means."""

    class manifest:  # noqa: N801
        name, store, queue_service = "tested", "postgres", "redis"

        class stored:  # noqa: N801
            relation: str | None = "kept"

    def named(self, name: str) -> list[object]:
        if name not in ("worker", "worker-1"):
            raise ScenarioError(f"no process {name}")
        return [type("Instance", (), {"name": "worker-1"})()]


@pytest.fixture
def link(servers: Servers) -> Iterator[Link]:
    made = servers.stack.add_link("worker-1", "postgres")
    yield made
    servers.stack.remove_link(made)


@pytest.fixture
def context(servers: Servers, link: Link) -> Iterator[RunContext]:
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("create table kept (id uuid, month date) partition by range (month)")
        connection.execute("create table kept_all partition of kept for values from ('2000-01-01') to ('2100-01-01')")
    with RunContext(cast(Stack, Here(servers, [link])), cast(Target, Aimed()), lambda _: None, list) as made:
        yield made


def session(servers: Servers, link: Link, name: str = "worker-1.1") -> psycopg.Connection[Any]:
    """As the target connects: through the link, to this test's database."""
    database = servers.postgres_url.rsplit("/", 1)[1].partition("?")[0]
    url = servers.stack.database_url(link, name).replace("/events?", f"/{database}?")
    return psycopg.connect(url, connect_timeout=5)


def stored(servers: Servers) -> int:
    with psycopg.connect(servers.superuser_url) as connection:
        row = connection.execute("select count(*) from kept").fetchone()
        assert row is not None
        return int(row[0])


def test_client_does_not_know_and_the_store_has_it(servers: Servers, context: RunContext, link: Link) -> None:
    fault, sent = CommitReplyLost(every_s=0.1), 0
    assert not fault.witness(context).landed
    with closing(session(servers, link)) as connection:
        fault.inject(context)
        with suppress(psycopg.OperationalError):
            while sent < 1000:  # one that comes between two turns is answered
                connection.execute("insert into kept values (%s, '2026-01-01')", [MARK])
                sent += 1
                connection.commit()
    await_that(lambda: fault.witness(context).landed)
    seen = fault.witness(context)
    fault.heal(context)
    assert (seen.figure, seen.unit) == (1, "replies lost")
    assert stored(servers) == sent < 1000


def test_healed_commits_are_answered(servers: Servers, context: RunContext, link: Link) -> None:
    fault = CommitReplyLost(every_s=0.1)
    fault.heal(context)
    fault.inject(context)
    fault.heal(context)
    fault.heal(context)
    began = time.monotonic()
    with session(servers, link) as connection:
        connection.execute("insert into kept values (%s, '2026-01-01')", [MARK])
    assert stored(servers) == 1
    assert time.monotonic() - began < 20  # a forgotten lock would hold it for ever


def test_all_is_healed_although_a_turn_failed(
    servers: Servers, context: RunContext, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object, xids: list[str]) -> int:
        if xids:
            raise psycopg.OperationalError("the server became unavailable")
        return 0

    monkeypatch.setattr("shaketable.faults.kinds.commit_reply_lost._await_committed", fails)
    fault = CommitReplyLost(every_s=0.1)
    fault.inject(context)
    with closing(session(servers, link)) as connection, suppress(psycopg.OperationalError):
        for _ in range(1000):  # one that comes between two turns is answered
            connection.execute("insert into kept values (%s, '2026-01-01')", [MARK])
            connection.commit()
    await_that(lambda: context.scratch["commit_reply_lost.cut"] == 1)
    await_that(lambda: context.links.round_trip_ms(link, True) is not None)  # the turn has mended what it cut
    with pytest.raises(HarnessError, match="became unavailable"):
        fault.heal(context)
    with psycopg.connect(servers.superuser_url) as admin:
        assert admin.execute("select 1 from pg_trigger where tgname = 'shaketable_hold_commit'").fetchone() is None


def test_others_commit_only_waits_its_turn(servers: Servers, context: RunContext) -> None:
    fault = CommitReplyLost(every_s=60, process="worker-1")
    fault.inject(context)
    with psycopg.connect(servers.postgres_url, application_name="other.1") as connection:
        connection.execute("insert into kept values (%s, '2026-01-01')", [MARK])
    assert stored(servers) == 1
    assert not fault.witness(context).landed
    fault.heal(context)


@pytest.mark.parametrize("process", ["nobody"])
def test_fault_aimed_at_nothing_says_so(context: RunContext, process: str) -> None:
    with pytest.raises(ScenarioError):
        CommitReplyLost(process=process).targets(context)


def test_a_turn_without_time_is_refused() -> None:
    with pytest.raises(ScenarioError, match="got 0"):
        CommitReplyLost(every_s=0)
