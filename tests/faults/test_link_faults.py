"""Faults on links, each on the real server it breaks: injected, witnessed, healed; aimed at nothing, unseen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import psycopg
import pytest

from shaketable.bench import RunBench
from shaketable.errors import ScenarioError
from shaketable.fault import Fault
from shaketable.faults import Down, Latency
from shaketable.op import Op
from shaketable.stack import Link
from shaketable.target import Target
from tests.conftest import Servers


class Two:
    """The only thing these faults ask of a target: which processes a name means."""

    def named(self, name: str) -> list[object]:
        found = [n for n in ("worker-1", "worker-2") if n.startswith(name)]
        if not found:
            raise ScenarioError(f"no process {name}")
        return [type("Instance", (), {"name": n})() for n in found]


@pytest.fixture
def ops() -> list[Op]:
    return []


@pytest.fixture
def links(servers: Servers) -> Iterator[list[Link]]:
    made = [servers.stack.add_link(f"worker-{n}", "postgres") for n in (1, 2)]
    yield made
    for link in made:
        servers.stack.remove_link(link)


@pytest.fixture
def bench(servers: Servers, links: list[Link], ops: list[Op]) -> Iterator[RunBench]:
    with RunBench(servers.stack, cast(Target, Two()), ops.append, list) as made:
        yield made


def connects(servers: Servers, link: Link) -> bool:
    try:
        psycopg.connect(servers.stack.database_url(link, "tested.1"), connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


FAULTS = [Down("postgres"), Down("postgres", mode="refused"), Latency("postgres", ms=150)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.label)
def test_fault_is_seen_while_it_lasts_and_not_before_or_after(fault: Fault, bench: RunBench) -> None:
    before = fault.witness(bench)
    fault.inject(bench)
    during = fault.witness(bench)
    fault.heal(bench)
    after = fault.witness(bench)
    assert [before.landed, during.landed, after.landed] == [False, True, False]
    assert (during.figure, during.unit) == (2, "of 2 links hit")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.label)
def test_healing_twice_and_before_injecting_is_harmless(fault: Fault, bench: RunBench) -> None:
    fault.heal(bench)
    fault.inject(bench)
    fault.heal(bench)
    fault.heal(bench)
    bench.check_links()


@pytest.mark.parametrize("mode", ["sink", "refused"])
def test_down_for_one_process_leaves_the_other_alone(
    mode: str, servers: Servers, bench: RunBench, links: list[Link]
) -> None:
    fault = Down("postgres", process="worker-2", mode=mode)  # type: ignore[arg-type]
    fault.inject(bench)
    assert [connects(servers, link) for link in links] == [True, False]
    fault.heal(bench)
    assert connects(servers, links[1])


def test_old_session_is_cut_by_an_outage(servers: Servers, bench: RunBench, links: list[Link]) -> None:
    with psycopg.connect(servers.stack.database_url(links[0], "tested.1")) as old:
        old.execute("select 1")
        Down("postgres").inject(bench)
        with pytest.raises(psycopg.OperationalError):
            old.execute("select 1")
    Down("postgres").heal(bench)


def test_attempts_in_an_outage_are_counted_by_who_made_them(
    servers: Servers, bench: RunBench, links: list[Link], ops: list[Op]
) -> None:
    fault = Down("postgres")
    fault.inject(bench)
    for _ in range(3):
        assert not connects(servers, links[0])
    fault.witness(bench)  # the harness's own look is not counted
    fault.heal(bench)
    assert [op.detail["by"] for op in ops] == ["tested.1"] * 3


@pytest.mark.parametrize("fault", [Down("redis"), Latency("postgres", 5, process="nobody"), Down("ingest")])
def test_fault_aimed_at_nothing_says_so_before_anything_is_broken(fault: Fault, bench: RunBench) -> None:
    with pytest.raises(ScenarioError):
        fault.aims(bench)


@pytest.mark.parametrize("ms", [0, -300])
def test_latency_that_is_none_is_refused(ms: int) -> None:
    with pytest.raises(ScenarioError, match=f"got {ms}"):
        Latency("postgres", ms=ms)
