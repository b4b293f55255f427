"""The lanes of crash points: which servers a trial is played on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shaketable.checks.check import Verdict
from shaketable.crash_points import lanes as module
from shaketable.crash_points import trial
from shaketable.crash_points.lanes import TrialLanes
from shaketable.crash_points.point import Point
from shaketable.crash_points.trial import PointTrial

POINT = Point("ingest", "redis", "XADD", "before")


class Servers:
    """Warm servers of a lane."""

    def __init__(self, say: Any) -> None:
        self.closed = False

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


def test_servers_are_kept_until_a_trial_could_not_be_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, used = iter([tmp_path, tmp_path, None, tmp_path]), list[Any]()

    def play(point: Point, how: Any, seed: int, target: Path, to: Path, servers: Any, *_: object) -> PointTrial:
        used.append(servers.warm)
        return PointTrial(point, how, Verdict.UNKNOWN, run=next(runs))

    monkeypatch.setattr(module, "WarmServers", Servers)
    monkeypatch.setattr(trial, "play", play)
    with TrialLanes(1, "kill", 1, Path(), tmp_path) as lanes:
        for _ in range(4):
            list(lanes.play([POINT]))
        first, second = used[0], used[3]
        assert used == [first, first, first, second]
        assert (first.closed, second.closed) == (True, False)
    assert second.closed
