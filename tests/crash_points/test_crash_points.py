"""The whole command on real servers: it finds a seeded bug at its point; the sound reference passes there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shaketable.crash_points.lanes import TrialLanes
from shaketable.crash_points.point import Point
from shaketable.crash_points.survey import Survey
from tests.conftest import Typed
from tests.seeded_bugs import catalogue
from tests.support.cases import cases

#: A seeded bug, the point at which it shows, and the hole in words.
CAUGHT = [
    ("acknowledges_before_queue", "ingest redis before XADD", "ingest, killed before XADD, loses events"),
    ("deletes_before_commit", "worker-1 postgres before COMMIT", "worker-1, killed before COMMIT, loses events"),
]


def played(target: str, point: str, typed: Typed, folder: Path) -> tuple[Any, str]:
    """The run at that point, and what was told. The exit code is that of its verdict."""
    out = folder / "found.json"
    options = ["--target", catalogue.target(target, folder), "--only", point, "--lanes", "1"]
    done = typed("crashpoints", *map(str, [*options, "--runs", folder, "--json", out]))
    (run,) = json.loads(out.read_text())["runs"]
    assert run["faults"][0]["landed"] is True
    assert done.returncode == (run["verdict"] == "failed"), done.stdout + done.stderr
    return run, done.stdout


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("bug", "point", "hole"), cases(CAUGHT, each_change=CAUGHT[:1]))
def test_seeded_bug_is_caught_at_its_point(bug: str, point: str, hole: str, typed: Typed, tmp_path: Path) -> None:
    run, told = played(bug, point, typed, tmp_path)
    assert run["checks"]["no_loss"]["verdict"] == "failed"
    assert hole in told


@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("point", "hole"), [each[1:] for each in CAUGHT])
def test_reference_passes_at_the_points_where_bugs_are_caught(
    point: str, hole: str, typed: Typed, tmp_path: Path
) -> None:
    run, told = played("", point, typed, tmp_path)
    assert run["checks"]["no_loss"]["verdict"] == "passed"
    assert hole not in told


def test_option_that_names_no_point_lists_the_points(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before_xadd = Point("ingest", "redis", "XADD", "before")
    monkeypatch.setattr(TrialLanes, "survey", lambda _: Survey((before_xadd,), {before_xadd: 1}))
    done = typed("crashpoints", "--only", "no such message", "--lanes", "1", "--runs", str(tmp_path))
    assert done.returncode == 254
    assert "before XADD" in done.stderr


def test_way_to_break_that_does_not_exist_is_refused_before_anything_starts(typed: Typed) -> None:
    assert typed("crashpoints", "--how", "ask").returncode == 254
