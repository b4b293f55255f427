"""What holds of every fault there is, so that no new one is forgotten: landed or unknown; drawn; aimed at something."""

from __future__ import annotations

import re
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import MISSING, fields
from itertools import combinations
from math import dist
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

import psycopg
import pytest

from shaketable import rundir
from shaketable.checks import NoLoss
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import judge_history
from shaketable.errors import ScenarioError
from shaketable.faults import FAULTS
from shaketable.faults.context import RunContext
from shaketable.faults.fault import Fault
from shaketable.faults.injector import Injector
from shaketable.faults.timeline import At
from shaketable.op import Kind, Op
from shaketable.report.page.recording import Recording
from shaketable.report.page.spans import REPAIR_COLOUR, UNKNOWN_COLOUR
from shaketable.report.page.spans import faults as bands
from shaketable.stack.host import HostStack
from shaketable.stack.local import LocalStack
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.supervisor import Supervisor
from shaketable.stack.wall_clock import clocks, library
from shaketable.target.ingest_table import Ingest
from shaketable.target.manifest import Manifest, Process
from shaketable.target.source_tables import Stored
from shaketable.target.target import Target
from shaketable.text import plain
from tests.conftest import opened
from tests.faults.little_target import SCRIPT
from tests.faults.own import ignore
from tests.support.book import Book, Part
from tests.support.histories import asks, fault, history, run_of, sent, stored
from tests.support.waits import await_that

KINDS = FAULTS.kinds()
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
SANE = (sent("a", at=1).acknowledged(2), stored("a", at=3), asks(NoLoss()))


def sample(kind: type[Any], **given: Any) -> Fault:
    """One of a kind: what it must be told is made up by name and type."""
    hints = get_type_hints(kind)
    needed = [field for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING]
    return cast(Fault, kind(**{field.name: _made_up(field.name, hints[field.name]) for field in needed} | given))


def _made_up(name: str, type_: Any) -> Any:
    if name == "service":
        return "postgres"
    if get_origin(type_) is Literal:
        return get_args(type_)[0]
    return {int: 100, float: 1.0, str: "worker-1"}[type_]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostStack]:
    """One whose disks can be broken too."""
    with opened(
        "local", tmp_path_factory.mktemp("logs"), ServerOptions(disks=frozenset({"postgres", "redis"}))
    ) as made:
        yield made


@pytest.fixture(scope="module")
def target(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Three processes that answer, on the real stack, and a relation."""
    folder: Path = tmp_path_factory.mktemp("target")
    command = (sys.executable, "-c", SCRIPT)
    kinds = tuple(Process(name, command, health="/", ready_s=15, stop_s=0.5) for name in ("ingest", "worker"))
    kinds = (kinds[0], Process("worker", command, count=2, health="/", ready_s=15, stop_s=0.5))
    manifest = Manifest(1, "tested", Ingest("ingest"), kinds, Stored("select 1", relation="every_fault"))
    before, supervisor = list(stack.links), Supervisor(f"test-{secrets.token_hex(4)}")
    with (
        clocks.opened(library.library(), supervisor) as wall_clocks,
        psycopg.connect(stack.admin_url(), autocommit=True) as admin,
    ):
        made = Target(
            manifest,
            folder,
            stack,
            supervisor,
            run_id=f"test-{folder.name}",
            state=folder / "state",
            logs=folder,
            settings={},
            record=ignore,
            clocks=wall_clocks,
        )
        admin.execute("create table every_fault (event_id text)")
        for name in made.instances:
            made.start(name)
        for name in made.instances:
            made.await_ready(name)
        yield made
        made.stop_all()
        admin.execute("drop table every_fault")
    supervisor.close()
    for link in [link for link in stack.links if link not in before]:
        stack.remove_link(link)


@pytest.fixture
def context(target: Target, stack: LocalStack) -> Iterator[RunContext]:
    with RunContext(stack, target, ignore, list) as made:
        yield made


def unseen(kind: type[Any]) -> Fault:
    """One that is put in without effect: the proxy that nobody uses, the signal that went elsewhere."""
    nothing = {"inject": lambda *_: None, "heal": lambda *_: None}
    return sample(type(f"Unseen{kind.__name__}", (kind,), nothing))


def played(entry: Fault, context: RunContext) -> list[Op]:
    """What the real injector writes of it."""
    ops: list[Op] = []
    with Injector((At(0, 0.05, entry),), context, ops.append) as injector:
        injector.start(time.monotonic_ns())
        await_that(lambda: injector.error is not None or any(op.kind is Kind.HEAL for op in ops))
    return ops


def told(entry: Fault, ops: list[Op]) -> Part:
    """A run whose timeline holds the fault, with the injector's ops."""

    def write(book: Book) -> None:
        spec = FAULTS.to_spec(entry)
        book.timeline.append({"at_s": 0.0, "until_s": 1.0, "label": entry.label, "fault": spec})
        book.ops[rundir.FAULTS] += ops

    return write


@every_kind
def test_fault_that_has_no_effect_makes_the_run_unknown(kind: type[Any], context: RunContext) -> None:
    entry = unseen(kind)
    ops = played(entry, context)
    doc = judge_history(history(*SANE, told(entry, ops)))
    assert doc.faults[0].landed is False
    assert doc.verdict is Verdict.UNKNOWN
    assert any("nothing shows that fault 0" in reason for reason in doc.reasons)


@every_kind
def test_fault_that_was_never_injected_makes_the_run_unknown(kind: type[Any]) -> None:
    doc = judge_history(history(*SANE, told(sample(kind), [])))
    assert doc.verdict is Verdict.UNKNOWN
    assert any("was never injected" in reason for reason in doc.reasons)


@every_kind
def test_fault_names_what_it_is_aimed_at(kind: type[Any], context: RunContext) -> None:
    assert sample(kind).targets(context) != []


AIMED = {name: kind for name, kind in KINDS.items() if "process" in kind.__dataclass_fields__}


@pytest.mark.parametrize("kind", AIMED.values(), ids=list(AIMED))
def test_fault_aimed_at_a_process_that_there_is_not_is_refused(kind: type[Any], context: RunContext) -> None:
    with pytest.raises(ScenarioError, match="nobody"):
        sample(kind, process="nobody").targets(context)


@every_kind
def test_fault_has_a_band_with_its_label_and_colour_in_the_report(kind: type[Any], tmp_path: Path) -> None:
    entry = sample(kind)
    run = run_of([sent("a"), fault(10, 20, entry.label, **FAULTS.to_spec(entry))], tmp_path)
    (band,) = bands(Recording.load(run), end=60)
    assert (band.label, band.colour) == (plain(entry.label), kind.colour)
    assert band.label.strip()
    assert 0 < band.end - band.begin <= 10.5


#: The least distance of two colours in RGB, each from 0 to 255: what can be told apart in neighbouring bands.
APART = 24


def test_no_two_kinds_of_faults_look_alike() -> None:
    colours = {name: kind.colour for name, kind in KINDS.items()}
    colours |= {"unknown": UNKNOWN_COLOUR, "recovery": REPAIR_COLOUR}
    assert [name for name, colour in colours.items() if not re.fullmatch("#[0-9a-f]{6}", colour)] == []
    points = {name: tuple(bytes.fromhex(colour[1:])) for name, colour in colours.items()}
    alike = [(a, b) for (a, here), (b, there) in combinations(points.items(), 2) if dist(here, there) < APART]
    assert alike == []
