"""The folder of a comparison: what every target is sent, and which cells are there."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

from shaketable import rundir
from shaketable.compare.comparison import CELL, Cell, Comparison, ComparisonRequest, commands, digest_of_inputs, tidy
from shaketable.compare.player import _wanted
from shaketable.compare.targets import announced, targets
from shaketable.load.mix import Mix
from shaketable.load.mix.shape import Expect, Shape
from shaketable.load.schedule import Planned
from shaketable.runner import scenario
from tests.cli.test_cli import SCENARIO


def short(tmp_path: Path, **more: Any) -> scenario.Scenario:
    path = tmp_path / "short.py"
    path.write_text(SCENARIO)
    return dataclasses.replace(scenario.load(str(path)), **more)


def content(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def test_what_targets_are_sent_is_drawn_once_for_a_scenario_and_a_seed(tmp_path: Path) -> None:
    held = Comparison(tmp_path / "compare")
    first = held.inputs(short(tmp_path))
    before = content(first.path)
    (first / rundir.CORPUS).write_bytes((first / rundir.CORPUS).read_bytes() + b"drawn on another day")
    changed = content(first.path)
    assert content(held.inputs(short(tmp_path)).path) == changed != before
    assert held.inputs(short(tmp_path, seed=2)).path != first.path


def test_another_scenario_of_that_name_is_drawn_anew_and_its_cells_with_it(tmp_path: Path) -> None:
    held = Comparison(tmp_path / "compare")
    before = digest_of_inputs(held.inputs(short(tmp_path)))
    assert digest_of_inputs(held.inputs(short(tmp_path))) == before
    assert digest_of_inputs(held.inputs(short(tmp_path, drain_s=7))) != before


def test_target_that_never_receives_malformed_events_is_sent_none(tmp_path: Path) -> None:
    known, held = targets(["order-service", "order-stream"]), Comparison(tmp_path / "compare")
    refused = {}
    for target, asked in _wanted(known, [short(tmp_path, mix=Mix(shapes=20, malformed=0.3))], [1]):
        drawn = held.inputs(asked, target.shapes)
        planned = list(rundir.read_lines(drawn / rundir.SCHEDULE, Planned))
        refused[target.name] = sum(one.expect is Expect.REFUSE for one in planned)
    assert refused["order-stream"] == 0 < refused["order-service"]


def test_target_with_events_of_its_own_is_sent_those(tmp_path: Path) -> None:
    (service, reference), held = targets(["order-service", "reference"]), Comparison(tmp_path / "compare")
    few = short(tmp_path, mix=Mix(shapes=20))
    own, audit = held.inputs(few, service.shapes), held.inputs(few, reference.shapes)
    assert own.path != audit.path
    assert digest_of_inputs(held.inputs(few, service.shapes)) == digest_of_inputs(own) != digest_of_inputs(audit)
    planned = list(rundir.read_lines(own / rundir.SCHEDULE, Planned))
    assert {one.event_id[:4] for one in planned} == {"ORD-"}


def test_cell_that_was_cut_off_or_torn_is_not_there(tmp_path: Path) -> None:
    held = Comparison(tmp_path)
    assert held.cell("a", "calm", 1) is None
    held.keep(Cell("a", "calm", 1, "passed"))
    assert [cell.target for cell in held.cells()] == ["a"]
    (held.folder("a", "calm", 1) / CELL).write_text('{"target": "a", ')
    assert held.cell("a", "calm", 1) is None
    assert held.cells() == []


def test_further_seeds_and_scenarios_leave_the_cells_that_are_there(tmp_path: Path) -> None:
    held = Comparison(tmp_path)
    held.begin(ComparisonRequest(1, ["a"], ["calm"], [1]))
    held.keep(Cell("a", "calm", 1, "passed"))
    held.begin(ComparisonRequest(1, ["a", "b"], ["storm"], [2, 3]))
    assert held.cell("a", "calm", 1) is not None
    assert held.asked.seeds == [2, 3]


def test_what_was_asked_before_is_kept_each_call_once_and_the_first_first(tmp_path: Path) -> None:
    held, one, other = (
        Comparison(tmp_path),
        ComparisonRequest(1, ["a"], ["calm"], [1]),
        ComparisonRequest(1, ["b"], ["storm"], [1]),
    )
    for asked in (one, other, other, one, one):
        held.begin(asked)
    assert held.asked.calls == [other, one]
    (tmp_path / "comparison.json").write_text(
        '{"schema":1,"targets":["a"],"scenarios":["calm"],"seeds":[1],"command":"x"}'
    )
    held.begin(other)
    assert held.asked.calls == [one, other]


def test_command_repeats_all_cells_in_their_natural_order_and_calls_each_as_it_was_called() -> None:
    calls = [ComparisonRequest(1, ["mine"], ["brief"], [1], {"mine": "my own/target.toml"}, {"brief": "brief.py"})]
    cells = [
        (target, scenario, seed)
        for target in ("mine", "rq-hardened", "reference")
        for scenario in ("brief", "worker_killed", "calm")
        for seed in (2, 1, 7)
    ]
    again = "shaketable compare reference rq-hardened 'my own/target.toml' --scenarios calm,worker_killed,brief.py"
    assert commands(calls, cells) == [f"{again} --trials 2 --seed 1", f"{again} --trials 1 --seed 7"]
    assert commands([], []) == []


def test_scenarios_that_other_targets_were_tried_under_have_a_command_of_their_own() -> None:
    cells = [("a", "calm", 1), ("b", "calm", 1), ("b", "calm@12", 1), ("a", "storm", 1), ("b", "storm", 1)]
    assert commands([], cells) == [
        "shaketable compare a b --scenarios calm,storm --trials 1 --seed 1",
        "shaketable compare b --scenarios calm@12 --trials 1 --seed 1",
    ]


def test_name_is_a_folder_that_leads_nowhere_else() -> None:
    assert [tidy(name) for name in ("celery-defaults", "../x", "a/b", ".inputs", "..", "", "é")] == [
        "celery-defaults",
        "-x",
        "a-b",
        "inputs",
        "-",
        "-",
        "é",
    ]


def test_targets_are_sent_events_at_the_edge_of_what_all_of_them_announce(tmp_path: Path) -> None:
    held, few = Comparison(tmp_path / "compare"), short(tmp_path, mix=Mix(shapes=20))

    def kinds(*names: str) -> tuple[bool, bool]:
        run = held.inputs(few, announced=announced(targets(list(names))))
        shapes = list(rundir.read_lines(run / rundir.CORPUS, Shape))
        return any(shape.sized for shape in shapes), any(shape.numeric for shape in shapes)

    assert kinds("reference") == kinds("reference", "order-service") == (True, True)
    assert kinds("reference", "rq-defaults") == kinds("order-service") == (False, False)
