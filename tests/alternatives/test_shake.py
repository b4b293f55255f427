"""A real shake of an alternative, in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shaketable import rundir
from shaketable.rundir import RunDir

#: Slow enough for a busy machine; nothing breaks.
CALM = """
from shaketable.checks import ContentIntact, NoDuplicates, NoLoss, NothingInvented, RefusesRightly
from shaketable.load import Load
from shaketable.scenario import Scenario

SCENARIO = Scenario(
    story="Nothing breaks.",
    load=Load(rate=20, baseline_s=2, shake_s=3, recover_s=1),
    settings={"lease_s": 3},
    checks=(NoLoss(), NoDuplicates(), NothingInvented(), ContentIntact(), RefusesRightly()),
)
"""


@pytest.mark.slow
def test_hardened_celery_keeps_every_event_of_a_calm_shake(tmp_path: Path) -> None:
    scenario = tmp_path / "calm.py"
    scenario.write_text(CALM)
    command = [sys.executable, "-m", "shaketable.cli", "run", str(scenario), "--target", "celery-hardened",
               "--runs", str(tmp_path / "runs")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (run,) = (path for path in (tmp_path / "runs").iterdir() if not path.is_symlink())
    checks = rundir.read_json(RunDir(run) / rundir.VERDICT, dict[str, Any])["checks"]
    assert checks["no_loss"]["counts"]["stored"] > 100
    assert checks["no_duplicates"]["counts"]["exposed"] > 0
    assert checks["order_kept"]["verdict"] == checks["breaker_behaves"]["verdict"] == "not applicable"
