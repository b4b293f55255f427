"""The command on a real processor with a seeded bug: found, shrunk, confirmed, written, and exit code 1."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shaketable.errors import InputError
from shaketable.explore import found
from shaketable.explore.command import Asked, explore
from shaketable.explore.search import Request
from tests.seeded_bugs import catalogue


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_seeded_bug_is_found_shrunk_and_confirmed(tmp_path: Path) -> None:
    target, out, table = catalogue.target("deletes_before_commit", tmp_path), tmp_path / "found", tmp_path / "all.json"
    command = [sys.executable, "-m", "shaketable.cli", "explore", "--target", str(target), "--out", str(out)]
    options = ["--faults", "down", "--faults", "reset", "--first", "--seed", "1", "--budget", "5m", "--lanes", "2"]
    done = subprocess.run([*command, *options, "--json", str(table)], capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    (one,) = found.earlier(out)
    assert len(one.timeline) == 1
    assert {at.fault.kind for at in one.timeline} <= {"down", "reset"}
    (told,) = json.loads(table.read_text())["runs"]
    assert (told["verdict"], told["scenario"], told["checks"]["no_loss"]["verdict"]) == ("failed", one.name, "failed")
    assert Path(told["run"]).is_dir()


def test_unknown_kind_of_fault_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gremlin"):
        explore(Asked(None, tmp_path, 60), Request(60, kinds=frozenset({"gremlin"})), lambda _: None)
