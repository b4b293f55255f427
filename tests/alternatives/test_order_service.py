"""The order service, whole: it passes, and each of its seeded bugs fails the check that is for it."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alternatives.order_service import worker
from alternatives.order_service.order import Refused, accepted, stored
from shaketable.event import kinds
from shaketable.load.mix import Mix
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.load.mix.shape import Expect, Shape
from shaketable.target import manifest
from tests.conftest import Typed
from tests.support.cases import cases

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "alternatives" / "order-service.toml"
TABLE = manifest.load(MANIFEST).event
EVENT_ID = "ORD-0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"
#: A seeded bug, the check that must catch it, and a part of a member that this check shows.
BUGS = [
    ("float_amount", "content_intact", "/items/0/amount"),
    ("dropped_items", "content_intact", "/items"),
    ("lower_case_id", "nothing_invented", "ord-"),
]
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


def shaken(typed: Typed, manifest: Path, folder: Path) -> tuple[int, dict[str, Any], str]:
    """The exit code, the verdict of each check, and the output of a short run."""
    scenario = folder / "short_orders.py"
    scenario.write_text(SHORT)
    done = typed("run", scenario, "--target", manifest, "--runs", folder)
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


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> list[Shape]:
    assert TABLE is not None
    return OwnShapes(TABLE, MANIFEST.parent).corpus(Mix(shapes=150), 1, cache=tmp_path_factory.mktemp("cache"))


def altered(shapes: list[Shape], row: Callable[[dict[str, Any]], dict[str, Any]]) -> set[str]:
    """The pointers to members that a worker's rows change, without a database."""
    kind, found = kinds.of(TABLE), set[str]()
    for shape in shapes:
        if shape.expect is Expect.ACCEPT:
            sent = shape.wire(EVENT_ID, shape.order)
            accepted(sent)
            kept = rebuilt(row(stored(sent.decode())))
            found |= set(kind.same(kind.parse(sent), kind.parse(kept)))
    return found


def rebuilt(row: dict[str, Any]) -> bytes:
    """What stored.sql makes of a row."""
    items = zip(row["skus"], row["quantities"], row["amounts"], strict=True)
    found = {
        "order": {"id": row["id"], "currency": row["currency"], "note": row["note"]},
        "customer": {"id": row["customer"], "name": row["name"]},
        "items": [{"sku": sku, "quantity": quantity, "amount": amount} for sku, quantity, amount in items],
        "createdAt": row["created_at"].isoformat(),
        "attributes": None if row["attributes"] is None else msgspec.Raw(row["attributes"].encode()),
    }
    return msgspec.json.Encoder(decimal_format="number").encode(found)


@pytest.mark.slow
def test_its_rows_hold_every_shape_of_the_schema_exactly(shapes: list[Shape]) -> None:
    assert altered(shapes, worker.row) == set()


@pytest.mark.slow
def test_it_refuses_what_violates_the_schema(shapes: list[Shape]) -> None:
    for shape in shapes:
        if shape.expect is Expect.REFUSE:
            with pytest.raises(Refused):
                accepted(shape.wire(EVENT_ID))


@pytest.mark.parametrize(
    ("bug", "member"),
    [("float_amount", "/items/0/amount"), ("dropped_items", "/items"), ("lower_case_id", "/order/id")],
)
def test_seeded_bug_changes_an_event_of_the_corpus(
    bug: str, member: str, shapes: list[Shape], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "row", worker.row)
    monkeypatch.setattr(worker, "amount", worker.amount)
    runpy.run_path(str(Path(__file__).parent / "order_bugs" / f"{bug}.py"))
    assert member in altered(shapes, worker.row)


@pytest.mark.nightly
def test_order_service_stores_every_order_once_and_whole(tmp_path: Path, typed: Typed) -> None:
    code, checks, told = shaken(typed, MANIFEST, tmp_path)
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


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    ("bug", "check", "member"),
    cases(BUGS, each_change=BUGS[:1]),
)
def test_seeded_bug_fails_its_check(bug: str, check: str, member: str, tmp_path: Path, typed: Typed) -> None:
    code, checks, told = shaken(typed, with_bug(bug, tmp_path), tmp_path)
    assert code == 1, told
    assert checks[check]["verdict"] == "failed"
    shown = [each for members in checks[check]["members"].values() for each in members]
    assert any(member in each for each in shown), shown


@pytest.mark.slow
@pytest.mark.nightly
def test_life_of_a_lost_order_shows_the_last_stage_in_its_trace(tmp_path: Path, typed: Typed) -> None:
    buggy = with_bug("lost_in_the_worker", tmp_path)
    buggy.write_text(f"{buggy.read_text()}\n[traces]\n")
    code, checks, told = shaken(typed, buggy, tmp_path)
    assert (code, checks["no_loss"]["verdict"]) == (1, "failed"), told
    lost = checks["no_loss"]["members"]["lost"][0]
    life = typed("explain", "--event", lost, tmp_path / "latest").stdout
    assert "last stage in its trace: intake: queue" in " ".join(life.split()), life
