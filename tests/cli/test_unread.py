"""The reader of the output has ended, as `grep -m1` does: CI's files are written all the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import pytest

from shaketable import rundir
from shaketable.capacity import command as capacity
from shaketable.cli import playing
from shaketable.cli.outputs import Outputs
from shaketable.crash_points import command as crash_points
from shaketable.errors import unread
from shaketable.explore import command as exploring
from shaketable.explore.outcome import ExplorationOutcome
from shaketable.explore.progress import ExplorationProgress
from shaketable.explore.saved import Position
from shaketable.explore.spread import SharedExploration
from shaketable.results.result import Result
from shaketable.rundir import RunDir
from shaketable.runner.order import Options, Order, order
from tests.capacity.test_curve import STEPS, curve
from tests.crash_points.test_verdict import OK, verdicts
from tests.explore.scenarios import MANIFEST
from tests.results.test_result import valid
from tests.support.histories import run_of
from tests.support.results import played
from tests.support.shown import wrong

End = Callable[[], None]


@contextmanager
def output() -> Iterator[End]:
    """The standard output is a pipe; the function ends its reader."""
    reader, writer = os.pipe()
    ends = [reader]
    with open(os.devnull, "w", encoding="utf-8") as nowhere, os.fdopen(writer, "w", buffering=1) as out:
        with redirect_stdout(out):
            yield lambda: os.close(ends.pop()) if ends else None
        os.dup2(nowhere.fileno(), writer)  # takes what is left in the buffer


def verdict_of(file: Path) -> list[str]:
    return [run["verdict"] for run in valid(file.read_bytes())["runs"]]


def test_verdict_that_nobody_reads_is_in_every_file(tmp_path: Path) -> None:
    def play(order: Order) -> RunDir:
        end()
        return run_of(wrong("gone"), tmp_path / "run")

    files = tmp_path / "x.json", tmp_path / "junit.xml", tmp_path / "badge.svg"
    with output() as end, pytest.raises(SystemExit):
        playing.one(order("calm", Options(runs=tmp_path)), Outputs(*files[:2], github=True, badge=files[2]), play)
    assert verdict_of(files[0]) == ["failed"]
    assert "<failure" in files[1].read_text()
    assert files[2].exists()


def test_runs_that_the_end_of_the_reader_cut_off_are_interrupted(tmp_path: Path) -> None:
    def play(order: Order) -> RunDir:
        end()
        return run_of(wrong("gone"), tmp_path / "run")

    with output() as end, pytest.raises((SystemExit, KeyboardInterrupt)):
        playing.many([order("calm", Options(runs=tmp_path))] * 2, Outputs(tmp_path / "x.json"), play)
    assert verdict_of(tmp_path / "x.json") == ["interrupted", "interrupted"]
    assert (tmp_path / "run" / rundir.VERDICT).exists()


def test_table_that_nobody_reads_takes_no_verdict_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def last(*_: object) -> Result:
        end()
        return played()

    monkeypatch.setattr(playing, "_result", last)
    with output() as end, pytest.raises(SystemExit):
        playing.many([order("calm", Options(runs=tmp_path))], Outputs(tmp_path / "x.json"))
    assert verdict_of(tmp_path / "x.json") == ["passed"]


def test_exploration_points_and_capacity_are_written_though_nobody_reads_them(tmp_path: Path) -> None:
    def explored() -> None:
        made = SharedExploration(MANIFEST, tmp_path, ExplorationProgress(0, 10, sys.stdout), Position(1))
        made.progress.totals.add(5, 0, 0, [])
        with exploring._told(ExplorationOutcome(made, 1), written.extend):
            pass

    written: list[Result] = []
    saved: list[str] = []
    for tell in (
        explored,
        lambda: crash_points._tell(verdicts((OK, True)), 1, written.extend, lambda: saved.append("points")),
        lambda: capacity._tell(curve(STEPS), lambda: saved.append("curve"), written.extend),
    ):
        with output() as end:
            end()
            with pytest.raises((OSError, SystemExit)) as told:
                tell()
        assert unread(told.value)
    assert (tmp_path / "explore.html").exists()
    assert [run.verdict for run in written] == ["passed", "unknown", "passed"]
    assert saved == ["points", "curve"]
