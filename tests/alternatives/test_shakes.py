"""Each hardened alternative, whole: made, started, loaded, drained, stopped. The table is made elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Typed
from tests.support.cases import cases
from tests.target.environments.test_node import needs_node

#: The first run on a machine installs the target's packages, which may take minutes beside other tests.
pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[2]
#: Short and calm; resent on purpose all the same.
SHORT = """
from shaketable.checks import ContentIntact, NoDuplicates, NoLoss, NothingInvented, RefusesRightly
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Nothing goes wrong, for five seconds.",
    load=Load(rate=30, baseline_s=2, shake_s=2, recover_s=1, lateness_bound_ms=10_000),  # no check reads times
    settings={"lease_s": 2},
    checks=(NoLoss(), NoDuplicates(), NothingInvented(), ContentIntact(), RefusesRightly()),
)
"""


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    "target",
    [
        *cases(
            [
                *(f"{name}-hardened" for name in ("arq", "celery", "dramatiq", "procrastinate", "rq", "taskiq")),
                "nats-jetstream-hardened",
                "webhook",
            ],
            each_change=["celery-hardened"],
        ),
        pytest.param("bullmq-hardened", marks=[needs_node, pytest.mark.nightly]),
        pytest.param("pg-boss-hardened", marks=[needs_node, pytest.mark.nightly]),
    ],
)
def test_hardened_alternative_stores_every_event_once(target: str, tmp_path: Path, typed: Typed) -> None:
    scenario = tmp_path / "short_calm.py"
    scenario.write_text(SHORT)
    manifest = ROOT / "alternatives" / f"{target}.toml"
    done = typed("run", scenario, "--target", manifest, "--runs", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = json.loads((tmp_path / "latest" / "verdict.json").read_text())
    assert verdict["checks"]["no_loss"]["counts"]["stored"] > 100
