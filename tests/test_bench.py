"""The bench: what it claims is what it measured."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import intake_fuzz, kills, mutants, rates
from bench.__main__ import main
from bench.endurance import Endurance
from bench.events import bodies
from bench.figure import Figure, Report, ratios
from bench.load import requests
from bench.stage import stage
from tests.support.cases import nightly

ROOT = Path(__file__).parents[1]


def rate(name: str, per_second: float) -> Figure:
    return Figure(name, per_second, 1000)


def test_ratios_compare_rates_of_one_run() -> None:
    figures = [rate("drain", 10_000), rate("staged COPY", 10_000), rate("one INSERT an event", 500)]
    told = {ratio.name: ratio.ratio for ratio in ratios(figures)}
    assert told == {"drain ÷ staged COPY": 1.0, "drain ÷ one INSERT an event": 20}
    assert Report("", figures, ratios(figures)).held
    assert not Report("", figures, ratios([rate("end to end", 9999)])).held


@pytest.mark.parametrize(
    ("mb", "flat"), [([50, 60, 60, 60], True), ([50, 60, 62, 63], True), ([50, 60, 80, 100], False)]
)
def test_memory_that_grows_is_not_flat(mb: list[float], flat: bool) -> None:
    quiet = [60.0] * 4
    assert Endurance(9, 1.0, 9, {"ingest": mb, "worker-1": quiet, "worker-2": quiet}).held == flat
    assert not Endurance(9, 1.0, 8, {"ingest": quiet, "worker-1": quiet, "worker-2": quiet}).held


def test_a_drain_is_timed_from_its_first_commit_to_its_last() -> None:
    assert rates.after_the_first([(10.0, 1000), (10.5, 500), (11.0, 100)]) == 600.0
    with pytest.raises(SystemExit):
        rates.after_the_first([(10.0, 1000)])


def test_events_have_ids_of_their_own_that_ascend() -> None:
    ids = [json.loads(body)["eventId"] for salt in (0, 1) for body in bodies(1000, salt)]
    assert len(set(ids)) == 2000
    assert ids == sorted(ids)


def test_a_request_holds_one_event_or_many() -> None:
    single, batch = list(requests(bodies(3), 1)), list(requests(bodies(25), 10))
    assert len(single) == 3
    assert all(b" /events HTTP" in one for one in single)
    assert [one.partition(b"\r\n\r\n")[2].count(b"\n") + 1 for one in batch] == [10, 10, 5]


@pytest.mark.nightly
def test_rates_are_measured_on_real_processes() -> None:
    with stage() as one:
        through = rates.end_to_end(one, 2000)
        drained = rates.drain(one, 5000)
        floor = rates.answers(one, 5000)
    assert through.per_second > 0
    assert drained.per_second > 0
    assert floor.per_second > through.per_second
    assert {"ingest", "worker-1", "postgres", "valkey"} <= through.cpu_us.keys()


@pytest.mark.parametrize(
    ("rows", "disorder", "held"),
    [("abc", 0, True), ("abd", 0, False), ("abcc", 0, False), ("ab", 0, False), ("abcd", 0, False), ("abc", 1, False)],
)
def test_kills_compare_what_was_acknowledged_with_what_is_stored_id_by_id(rows: str, disorder: int, held: bool) -> None:
    assert kills.compare({}, set("abc"), list(rows), disorder).held == held


def test_the_same_seed_makes_the_same_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int | None]] = []

    def run(rounds: int, seed: int | None) -> kills.Kills:
        given.append((rounds, seed))
        return kills.compare({}, set(), [], 0)

    monkeypatch.setattr(kills, "run", run)
    monkeypatch.setattr(sys, "argv", ["bench", "kills", "--rounds", "3", "--seed", "7"])
    assert main() == 0
    assert given == [(3, 7)]


def test_no_target_of_make_is_hidden_by_a_folder_of_its_name() -> None:
    made = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", made, re.M))
    phony = set(re.findall(r"^\.PHONY: (.*)$", made, re.M)[0].split())
    assert {"bench", "test", "chaos"} <= targets <= phony


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("rounds", [3, nightly(12)])
def test_workers_killed_and_frozen_at_random_lose_double_and_reorder_nothing(rounds: int) -> None:
    told = kills.run(rounds)
    assert told.held, told
    assert told.acknowledged > 10 * rounds  # at least: a round may be short, and the machine busy


def test_mutants_are_lines_that_the_seed_decides() -> None:
    some = list(mutants.bodies(300, 5))
    assert some == list(mutants.bodies(300, 5))
    assert some != list(mutants.bodies(300, 6))
    assert not any(b"\n" in body for body in some)


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({}, True),
        ({"answers": {"202": 8, "500": 1}}, False),
        ({"answers": {"none": 1}}, False),
        ({"missing": ["x"]}, False),
        ({"health_silent": 1}, False),
        ({"health_looks": 0}, False),
    ],
)
def test_a_fuzz_holds_unless_an_answer_an_event_or_health_is_missing(changes: dict[str, Any], held: bool) -> None:
    whole = {
        "seed": 1,
        "bodies": 9,
        "answers": {"202": 7, "422": 2},
        "accepted": 7,
        "missing": [],
        "dead_letters": 0,
        "health_looks": 3,
        "health_silent": 0,
        "health_longest_ms": 5.0,
    }
    assert intake_fuzz.Fuzz(**{**whole, **changes}).held == held


@pytest.mark.long
@pytest.mark.slow
def test_mutants_at_the_intake_make_no_5xx_and_each_202_is_stored() -> None:
    told = intake_fuzz.run(1500)
    assert told.held, told
    assert told.accepted > 300
