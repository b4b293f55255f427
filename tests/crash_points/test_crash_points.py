"""The whole command on real servers: it finds a seeded bug at its point, and the sound reference passes there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Typed
from tests.seeded_bugs import catalogue
from tests.support.cases import cases

pytestmark = pytest.mark.slow

#: A seeded bug, the point at which it shows, and the hole in words.
CAUGHT = [
    ("acknowledges_before_queue", "ingest redis before XADD", "ingest, killed before XADD, loses events"),
    ("deletes_before_commit", "worker-1 postgres before COMMIT", "worker-1, killed before COMMIT, loses events"),
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("bug", "point", "hole"), cases(CAUGHT, each_change=CAUGHT[:1]))
def test_seeded_bug_is_caught_at_its_point_and_the_reference_passes_there(
    bug: str, point: str, hole: str, typed: Typed, tmp_path: Path
) -> None:
    for target, code in ((bug, 1), ("", 0)):
        out = tmp_path / f"{target or 'reference'}.json"
        manifest = catalogue.target(target, tmp_path)
        options = ["--target", manifest, "--only", point, "--lanes", "1", "--runs", tmp_path, "--json", out]
        done = typed("crashpoints", *map(str, options))
        assert done.returncode == code, done.stdout + done.stderr
        (run,) = json.loads(out.read_text())["runs"]
        assert run["faults"][0]["landed"] is True
        assert run["checks"]["no_loss"]["verdict"] == ("failed" if code else "passed")
        assert (hole in done.stdout) == bool(code)


def test_option_that_names_no_point_lists_the_points(typed: Typed, tmp_path: Path) -> None:
    done = typed("crashpoints", "--only", "no such message", "--lanes", "1", "--runs", str(tmp_path))
    assert done.returncode == 254
    assert "before XADD" in done.stderr


def test_way_to_break_that_does_not_exist_is_refused_before_anything_starts(typed: Typed) -> None:
    assert typed("crashpoints", "--how", "ask").returncode == 254
