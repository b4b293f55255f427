"""Targets without an intake: a sender writes to their queue, through a link that faults break."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.cases import nightly

#: The first run on a machine installs the target's packages, which may take minutes beside other tests.
pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "alternatives"
#: The queue is unavailable for some seconds, and its own link to the clients once more.
SCENARIO = """
from shaketable.checks import ContentIntact, NoDuplicates, NoLoss, NothingInvented, RefusesRightly
from shaketable.faults import Down
from shaketable.faults.timeline import At
from shaketable.load.mix import Mix
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="The queue is unavailable to all, then to the clients alone.",
    load=Load(rate=40, baseline_s=2, shake_s=10, recover_s=3, lateness_bound_ms=10_000),  # no check reads times
    mix=Mix(shapes=100),
    timeline=(At(1, 4, Down("SERVICE", mode="refused")), At(6, 9, Down("ingest"))),
    settings={"lease_s": 2},
    checks=(NoLoss(), NoDuplicates(), NothingInvented(), ContentIntact(), RefusesRightly()),
)
"""
#: Seeded: it says so before Redis has the order, and forgets the order when Redis does not take it.
FORGETFUL = """
import sys

sys.path.insert(0, ROOT)
from alternatives.order_service.xadd import Xadd
from shaketable.op import Outcome


class Forgetful(Xadd):
    def open(self):
        try:
            super().open()
        except Exception:
            pass

    def send(self, event_id, body):
        try:
            return super().send(event_id, body)
        except Exception:
            return Outcome.ACKNOWLEDGED
"""


def played(manifest: Path, service: str, folder: Path) -> tuple[int, dict[str, Any], str]:
    """The exit code, the verdict, and the output of a run."""
    (scenario := folder / "queue_away.py").write_text(SCENARIO.replace("SERVICE", service))
    command = [sys.executable, "-m", "shaketable.cli", "run", str(scenario), "--target", str(manifest)]
    done = subprocess.run(
        [*command, "--runs", str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=570, check=False
    )
    told = folder / "latest" / "verdict.json"
    return done.returncode, json.loads(told.read_text()) if told.exists() else {}, done.stdout + done.stderr


def ops(folder: Path, file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "latest" / file).read_text().splitlines()]


def with_sender(folder: Path, text: str, name: str) -> Path:
    """The order service's worker with another sender."""
    (folder / "mine.py").write_text(text.replace("ROOT", repr(str(ROOT))))
    manifest = (MANIFESTS / "order-stream.toml").read_text()
    manifest = manifest.replace('cwd = ".."', f'cwd = "{ROOT}"').replace(
        "order_service/xadd.py:Xadd", f"mine.py:{name}"
    )
    manifest = manifest.replace('"order_service/', f'"{MANIFESTS}/order_service/')
    (folder / "mine.toml").write_text(manifest)
    return folder / "mine.toml"


@pytest.mark.nightly
@pytest.mark.parametrize(("target", "service"), [("order-stream", "redis"), nightly(("nats-publish", "nats"))])
def test_events_of_a_sender_survive_an_outage_of_its_service(target: str, service: str, tmp_path: Path) -> None:
    code, verdict, told = played(MANIFESTS / f"{target}.toml", service, tmp_path)
    assert code == 0, told
    assert verdict["checks"]["no_loss"]["counts"]["stored"] > 300
    assert verdict["checks"]["refuses_rightly"]["verdict"] == "not applicable"
    sends = [op for op in ops(tmp_path, "journal-load-0.jsonl") if op["kind"] == "send"]
    assert {op["detail"]["status"] for op in sends} == {202, None}
    assert {op["detail"].get("error") for op in sends} > {None, "SenderNotOpened"}
    landed = [op["detail"]["fault"] for op in ops(tmp_path, "faults.jsonl") if op["kind"] == "witness"]
    assert set(landed) == {0, 1}


@pytest.mark.nightly
def test_sender_that_acknowledges_before_its_service_does_loses_events(tmp_path: Path) -> None:
    code, verdict, told = played(with_sender(tmp_path, FORGETFUL, "Forgetful"), "redis", tmp_path)
    assert code == 1, told
    assert verdict["checks"]["no_loss"]["verdict"] == "failed"
    assert verdict["checks"]["no_loss"]["counts"]["lost"] > 10


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    ("send", "told"),
    [
        ("raise KeyError(event_id)", "failed at each of"),
        nightly(("return True", "to return an Outcome of shaketable.op for each event, got a bool")),
        nightly(("import sys; sys.exit(1)", "failed at each of")),
    ],
)
def test_sender_that_never_works_ends_the_run_with_a_sentence(send: str, told: str, tmp_path: Path) -> None:
    text = f"class Mine:\n def open(self): pass\n def send(self, event_id, body): {send}\n def close(self): pass\n"
    code, _, output = played(with_sender(tmp_path, text, "Mine"), "redis", tmp_path)
    assert code == 254, output
    assert told in output
    assert "Traceback" not in output
