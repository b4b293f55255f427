"""A target whose queue is a service of its own: link faults and process faults on it by its name, each witnessed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

#: The first run on a machine installs the target's packages, which may take minutes beside other tests.
pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[2]
SCENARIO = """
from shaketable.checks import ContentIntact, NoDuplicates, NoLoss, NothingInvented
from shaketable.faults import Down, Kill, Latency, Pause, Silence
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="The links to the queue break, and then the queue's own process.",
    load=Load(rate=20, baseline_s=2, shake_s=24, recover_s=4),
    timeline=(
        At(1, 4, Down("nats")),
        At(5, 8, Silence("nats")),
        At(9, 12, Latency("nats", 200)),
        At(13, 16, Kill("nats")),
        At(18, 21, Pause("nats")),
    ),
    settings={"lease_s": 2},
    checks=(NoLoss(), NoDuplicates(), NothingInvented(), ContentIntact()),
)
"""


@pytest.mark.nightly
def test_faults_on_a_service_of_the_targets_own_land_and_nothing_is_lost(tmp_path: Path) -> None:
    (scenario := tmp_path / "queue_broken.py").write_text(SCENARIO)
    command = [sys.executable, "-m", "shaketable.cli", "run", str(scenario), "--target", "nats-jetstream-hardened"]
    done = subprocess.run(
        [*command, "--runs", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=570, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ops = [json.loads(line) for line in (tmp_path / "latest" / "faults.jsonl").read_text().splitlines()]
    landed = {op["detail"]["fault"] for op in ops if op["kind"] == "witness" and op["detail"]["landed"]}
    assert landed == {0, 1, 2, 3, 4}
    assert not (tmp_path / "latest" / "logs" / "valkey.log").exists()  # nobody asked for it
