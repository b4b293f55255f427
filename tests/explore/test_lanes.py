"""Lanes: trials at once, an idle lane's servers, and the end of an exploration."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shaketable import faults
from shaketable.checks.check import Verdict
from shaketable.errors import HarnessError
from shaketable.explore import lanes as module
from shaketable.explore.lanes import Lanes
from shaketable.explore.trial import Played
from shaketable.runner.progress import Status
from shaketable.runner.scenario import Scenario
from shaketable.stack.choice import Choice
from tests.explore.scenarios import REFERENCE, trial

ONE = trial(faults.Kill("worker-1"))


class Servers:
    """Warm servers of a lane; `made` has all of them."""

    made: list[Servers]

    def __init__(self, say: Any, disks: frozenset[str]) -> None:
        self.closed, self.disks = False, disks
        Servers.made.append(self)

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Servers]:
    Servers.made = []
    monkeypatch.setattr(module, "WarmServers", Servers)
    return Servers.made


def test_lanes_play_at_once(tmp_path: Path) -> None:
    together = threading.Barrier(3, timeout=20)

    def play(scenario: Scenario, target: Path, runs: Path, stack: Any, reporter: Any) -> Played:
        together.wait()  # passes only when all three are here
        return Played(scenario, Verdict.PASSED, run=tmp_path)

    with Lanes(3, REFERENCE, tmp_path, play=play, warm=False) as lanes:
        assert [one.verdict for one in lanes.play([ONE] * 3, "all")] == [Verdict.PASSED] * 3


def test_lane_keeps_its_servers_and_a_cold_trial_has_its_own(tmp_path: Path, made: list[Servers]) -> None:
    stacks: list[Any] = []

    def play(scenario: Scenario, target: Path, runs: Path, stack: Any, reporter: Any) -> Played:
        stacks.append(stack)
        return Played(scenario, Verdict.PASSED, run=tmp_path)

    with Lanes(1, REFERENCE, tmp_path, play=play) as lanes:
        for cold in (False, True, False):
            lanes.submit(ONE, "one", cold).result()
        assert (stacks[0], stacks[2], len(made)) == (made[0], made[0], 1)
        assert isinstance(stacks[1], Choice)
        assert not made[0].closed
    assert made[0].closed


def test_trial_that_breaks_a_disk_has_servers_for_it_and_one_with_settings_is_cold(
    tmp_path: Path, made: list[Servers]
) -> None:
    stacks: list[Any] = []

    def play(scenario: Scenario, target: Path, runs: Path, stack: Any, reporter: Any) -> Played:
        stacks.append(stack)
        return Played(scenario, Verdict.PASSED, run=tmp_path)

    power = trial(faults.PowerLoss("redis"))
    with Lanes(1, REFERENCE, tmp_path, play=play) as lanes:
        for one in (ONE, power, ONE, power, replace(power, servers={"redis": {"appendfsync": "everysec"}})):
            lanes.submit(one, "one").result()
        plain, with_disks = made
        assert stacks[:4] == [plain, with_disks, plain, with_disks]
        assert not plain.disks
        assert set(with_disks.disks) == {"postgres", "redis"}
        assert isinstance(stacks[4], Choice)
    assert [each.closed for each in made] == [True, True]


def test_servers_of_a_trial_that_could_not_be_played_are_replaced(tmp_path: Path, made: list[Servers]) -> None:
    def play(scenario: Scenario, target: Path, runs: Path, stack: Any, reporter: Any) -> Played:
        return Played(scenario, Verdict.UNKNOWN, why="postgres did not answer")

    with Lanes(1, REFERENCE, tmp_path, play=play) as lanes:
        for _ in range(2):
            lanes.submit(ONE, "one").result()
        assert [each.closed for each in made] == [True, True]


def test_servers_that_do_not_start_make_a_trial_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(say: Any, disks: frozenset[str]) -> Servers:
        raise HarnessError("no port is free")

    monkeypatch.setattr(module, "WarmServers", broken)
    with Lanes(1, REFERENCE, tmp_path) as lanes:
        played = lanes.submit(ONE, "one").result()
    assert (played.verdict, played.run) == (Verdict.UNKNOWN, None)
    assert "no port is free" in played.why


def test_end_of_the_lanes_ends_the_trial_that_runs(tmp_path: Path) -> None:
    begun = threading.Event()

    def play(scenario: Scenario, target: Path, runs: Path, stack: Any, reporter: Any) -> Played:
        begun.set()
        while True:
            reporter.update(Status("shake"))

    with Lanes(1, REFERENCE, tmp_path, play=play, warm=False) as lanes:
        future = lanes.submit(ONE, "one")
        waiting = lanes.submit(ONE, "two")
        assert begun.wait(20)
    assert isinstance(future.exception(), KeyboardInterrupt)
    assert waiting.cancelled()
