"""The order service, whole: it passes, and each of its seeded bugs fails the check that is for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "alternatives" / "order-service.toml"
#: Long enough to send each of its shapes.
SHORT = """
from shaketable.checks import ContentIntact, NoDuplicates, NoLoss, NothingInvented, OrderKept, RefusesRightly
from shaketable.load.mix import Mix
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Nothing goes wrong, for six seconds.",
    load=Load(rate=40, baseline_s=2, shake_s=2, recover_s=2),
    mix=Mix(malformed=0.1, ordered=0.3, shapes=150),
    checks=(NoLoss(), NoDuplicates(), NothingInvented(), ContentIntact(), RefusesRightly(), OrderKept()),
)
"""


def shaken(manifest: Path, folder: Path) -> tuple[int, dict[str, Any], str]:
    """The exit code, the verdict of each check, and the output of a short run."""
    scenario = folder / "short_orders.py"
    scenario.write_text(SHORT)
    command = [sys.executable, "-m", "shaketable.cli", "run", str(scenario), "--target", str(manifest)]
    done = subprocess.run(
        [*command, "--runs", str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=170, check=False
    )
    told = folder / "latest" / "verdict.json"
    return done.returncode, json.loads(told.read_text())["checks"] if told.exists() else {}, done.stdout + done.stderr


def with_bug(name: str, folder: Path) -> Path:
    """The order service's manifest, with a bug in its processes."""
    text = MANIFEST.read_text().replace('"alternatives.order_service"', f'"tests.alternatives.order_bugs.{name}"')
    text = text.replace('cwd = ".."', f'cwd = "{ROOT}"').replace(
        '"order_service/', f'"{MANIFEST.parent}/order_service/'
    )
    (folder / "buggy.toml").write_text(text)
    return folder / "buggy.toml"


@pytest.mark.slow
def test_order_service_stores_every_order_once_and_whole(tmp_path: Path) -> None:
    code, checks, told = shaken(MANIFEST, tmp_path)
    assert code == 0, told
    assert {name for name, found in checks.items() if found["verdict"] == "passed"} >= {
        "no_loss",
        "no_duplicates",
        "nothing_invented",
        "content_intact",
        "refuses_rightly",
        "order_kept",
    }
    assert checks["content_intact"]["counts"]["compared"] > 150
    assert checks["refuses_rightly"]["counts"]["malformed"] > 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bug", "check", "member"),
    [
        ("float_amount", "content_intact", "/items/0/amount"),
        ("dropped_items", "content_intact", "/items"),
        ("lower_case_id", "nothing_invented", "ord-"),
    ],
)
def test_seeded_bug_fails_its_check(bug: str, check: str, member: str, tmp_path: Path) -> None:
    code, checks, told = shaken(with_bug(bug, tmp_path), tmp_path)
    assert code == 1, told
    assert checks[check]["verdict"] == "failed"
    shown = [each for members in checks[check]["members"].values() for each in members]
    assert any(member in each for each in shown), shown
