"""What a run's context says of its links when nothing is broken, and what it closes at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import cast

import pytest

from shaketable.errors import HarnessError
from shaketable.faults import round_trip
from shaketable.faults.context import RunContext
from shaketable.stack.stack import Address, Link
from shaketable.target.readers import pages
from shaketable.target.receiver import Receiver
from shaketable.target.target import Target
from tests.conftest import Servers
from tests.faults.own import ignore

#: Nobody listens there: a process that stays dead.
NOBODY = Address("127.0.0.1", 9)


@pytest.fixture
def context(servers: Servers) -> Iterator[RunContext]:
    with RunContext(servers.stack, cast(Target, None), ignore, list) as made:
        yield made


@pytest.fixture
def link(servers: Servers) -> Iterator[Link]:
    made = servers.stack.add_link("worker-1", "redis")
    yield made
    servers.stack.remove_link(made)


@pytest.mark.parametrize("service", ["outbound", "ingest"])
def test_witness_of_a_link_delivers_nothing(servers: Servers, context: RunContext, service: str) -> None:
    """A target may deliver to `/`, and accept events there."""
    with Receiver(0, "/") as receiver:
        link = servers.stack.add_link("worker-1", service, receiver.address)
        try:
            assert context.links.transfer_ms(link, through=True, kilobytes=20) is not None
            assert context.links.transfer_ms(link, through=False, kilobytes=20) is not None
            context.links.check()
        finally:
            servers.stack.remove_link(link)
        assert pages.count(receiver.url) == 0


def test_link_to_a_target_that_stays_dead_is_no_error_of_the_harness(servers: Servers, context: RunContext) -> None:
    link = servers.stack.add_link("ingest", "ingest", NOBODY)
    context.links.check()
    servers.stack.remove_link(link)


def test_link_that_is_silent_while_its_service_answers_is_named(
    servers: Servers, context: RunContext, link: Link
) -> None:
    context.links.check()
    servers.stack.links[:] = [replace(link, listen=NOBODY)]
    with pytest.raises(HarnessError, match=r"no exchange through the link worker-1-redis"):
        context.links.check()
    servers.stack.links[:] = [link]


@pytest.mark.parametrize("failing", [{1}, {1, 3, 4}], ids=["it was started", "it was held up"])
def test_service_that_begins_to_answer_between_two_looks_is_no_silent_link(
    failing: set[int], servers: Servers, context: RunContext, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def ping(of: Link, through: bool) -> round_trip.PingResult:
        asked.append(through)
        address = of.listen if through else of.past
        return round_trip.ping(of.service, NOBODY if len(asked) in failing else address)

    monkeypatch.setattr(context.links, "ping", ping)
    context.links.check()
    assert asked == [True, False, *[True] * len(failing)]


@pytest.mark.parametrize("change", ["toxic", "enabled", "upstream", "gone"])
def test_proxy_that_is_not_as_it_was_made_is_named(
    change: str, servers: Servers, context: RunContext, link: Link
) -> None:
    server, name = servers.stack.toxiproxy, servers.stack.proxy(link)
    match change:
        case "toxic":
            server.add_toxic(name, "slow", "latency", {"latency": 1, "jitter": 0})
        case "enabled":
            server.enable(name, False)
        case "upstream":
            server.aim(name, str(NOBODY))
        case _:
            server.delete(name)
    with pytest.raises(HarnessError, match=r"the proxy of worker-1-redis is not as it was made"):
        context.links.check()


class Kept:
    """Something held that may fail to close."""

    def __init__(self, name: str, closed: list[str], fails: bool = False) -> None:
        self._name, self._closed, self._fails = name, closed, fails

    def close(self) -> None:
        self._closed.append(self._name)
        if self._fails:
            raise HarnessError(f"{self._name} does not close")


def test_one_that_does_not_close_keeps_no_other_from_closing(servers: Servers) -> None:
    closed: list[str] = []
    with ExitStack() as open_:
        context = open_.enter_context(RunContext(servers.stack, cast(Target, None), ignore, list))
        for name in "abc":
            context.keep_open(name, Kept(name, closed, fails=name == "b"))
        with pytest.raises(HarnessError, match="b does not close"):
            open_.close()
    assert sorted(closed) == ["a", "b", "c"]
