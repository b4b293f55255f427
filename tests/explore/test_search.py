"""The search with an oracle as the player: what it plays, finds, writes and takes up again."""

from __future__ import annotations

import io
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shaketable import faults
from shaketable.checks.check import Verdict
from shaketable.errors import InputError
from shaketable.explore import found, saved
from shaketable.explore.confirm import TIMES
from shaketable.explore.lanes import Lanes, Player
from shaketable.explore.memo import MOST, Memo
from shaketable.explore.progress import ExplorationProgress
from shaketable.explore.reduction import MOST_AGAIN, Reduction
from shaketable.explore.saved import Position
from shaketable.explore.search import Request, Search
from shaketable.explore.shrink import LEAST_RATE
from shaketable.explore.trial import Played, digest
from shaketable.runner.scenario import Scenario
from tests.explore.scenarios import MANIFEST, REFERENCE, Oracle, drawn, holds, trial


def search(play: Player, out: Path, lanes: int = 2, **more: Any) -> Reduction:
    request = replace(Request(600, 1, most_trials=40), **more)
    with Lanes(lanes, REFERENCE, out / "trials", play=play, warm=False) as opened:
        made = Reduction(MANIFEST, out, opened, ExplorationProgress(lanes, 600, io.StringIO()))
        with suppress(KeyboardInterrupt):
            Search(request, made).run()
    return made


def test_failing_trial_is_shrunk_confirmed_and_written(tmp_path: Path) -> None:
    oracle = Oracle(lambda s: holds(s, "kill"))
    (one,) = search(oracle, tmp_path, first=True).found
    assert [at.fault.kind for at in one.scenario.timeline] == ["kill"]
    assert (one.check, one.failed, one.of) == ("no_loss", TIMES, TIMES)
    assert one.file is not None
    assert digest(found.earlier(tmp_path)[0]) == digest(one.scenario)
    confirmations = [s for s in oracle.played if digest(s) == digest(one.scenario)][-TIMES:]
    assert len({s.seed for s in confirmations}) == TIMES


def test_clean_target_plays_every_trial_and_keeps_no_run_directory(tmp_path: Path) -> None:
    oracle = Oracle(lambda s: False)
    made = search(oracle, tmp_path)
    assert (made.found, len(oracle.played)) == ([], 40)
    assert {digest(s) for s in oracle.played} == {digest(drawn(1).trial(n)) for n in range(40)}
    assert list((tmp_path / "trials").iterdir()) == []


def test_failure_that_does_not_come_again_is_not_shrunk(tmp_path: Path) -> None:
    failures = iter([True])
    oracle = Oracle(lambda s: holds(s, "kill") and next(failures, False))
    made = search(oracle, tmp_path, first=True)
    (one,) = made.found
    assert (one.failed, one.of, one.file, one.shrink_trials) == (0, TIMES, None, MOST_AGAIN)
    assert len(oracle.played) == 40 + MOST_AGAIN + TIMES


def test_failure_that_comes_again_only_on_a_cold_stack_is_a_finding(tmp_path: Path) -> None:
    outcomes = iter([True, *[False] * (MOST_AGAIN + 1), True])
    oracle = Oracle(lambda s: holds(s, "kill") and next(outcomes, False))
    (one,) = search(oracle, tmp_path, first=True).found
    assert (one.failed, one.of, one.shrink_trials) == (1, TIMES, MOST_AGAIN)
    assert one.file is not None


def test_no_candidate_is_tried_more_than_twice(tmp_path: Path) -> None:
    oracle = Oracle(lambda s: holds(s, "kill", least_s=1.0))
    made = search(oracle, tmp_path, first=True)
    small = digest(made.found[0].scenario)
    tried = [digest(s) for s in oracle.played]
    again = next(each for each in tried if tried.count(each) == 1 + 2)  # the failure itself, on two lanes
    assert max(tried.count(each) for each in tried if each not in (small, again)) <= MOST
    assert tried.count(small) <= MOST + TIMES


def test_failure_that_a_finding_explains_is_not_shrunk_again(tmp_path: Path) -> None:
    made = search(Oracle(lambda s: holds(s, "kill")), tmp_path, most_trials=120)
    labels = [one.scenario.timeline[0].fault.label for one in made.found]
    assert len(labels) == len(set(labels))
    assert {one.scenario.timeline[0].fault.kind for one in made.found} == {"kill"}


def test_failure_that_is_not_confirmed_keeps_its_evidence_and_ends_no_search(tmp_path: Path) -> None:
    failures = iter([True, True, True])  # and again, on two lanes at once
    oracle = Oracle(lambda s: holds(s, "kill") and next(failures, False))
    made = search(oracle, tmp_path, first=True)
    (one,) = made.found
    assert (one.failed, one.of, one.file) == (0, TIMES, None)
    assert not list(tmp_path.glob("found_*"))
    assert list((tmp_path / "trials").iterdir()) == [one.run]
    assert {digest(drawn(1).trial(n)) for n in range(40)} <= {digest(s) for s in oracle.played}


def test_next_exploration_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    first, second = Oracle(lambda s: False), Oracle(lambda s: False)
    search(first, tmp_path, seed=None, most_trials=10)
    search(second, tmp_path, seed=None, most_trials=10)
    assert {digest(s) for s in second.played} == {digest(drawn(1).trial(n)) for n in range(10, 20)}


def test_trial_that_an_interruption_ended_is_played_by_the_next_exploration(tmp_path: Path) -> None:
    oracle, third, later = Oracle(lambda s: False), digest(drawn(1).trial(3)), threading.Event()

    def interrupted(scenario: Scenario, target: Path, runs: Path, stack: Any, reporter: Any) -> Played:
        if digest(scenario) == third:
            assert later.wait(30)
            raise KeyboardInterrupt
        if digest(scenario) == digest(drawn(1).trial(6)):  # so that 4 and 5 are noted
            later.set()
        return oracle(scenario, target, runs, stack, reporter)

    search(interrupted, tmp_path, seed=None)
    search(oracle, tmp_path, seed=None, most_trials=3)
    assert third in {digest(s) for s in oracle.played}


def test_seed_begins_again(tmp_path: Path) -> None:
    first, second = Oracle(lambda s: False), Oracle(lambda s: False)
    search(first, tmp_path, seed=7, most_trials=10)
    search(second, tmp_path, seed=7, most_trials=10)
    assert {digest(s) for s in first.played} == {digest(s) for s in second.played}


def test_earlier_finding_is_played_first(tmp_path: Path) -> None:
    known = trial(faults.Kill("worker-1"))
    found.write(tmp_path, "no_loss", known, "reference", "no_loss fails")
    oracle = Oracle(lambda s: holds(s, "kill"))
    made = search(oracle, tmp_path, most_trials=3)
    assert digest(oracle.played[0]) == digest(known)
    assert digest(made.found[0].scenario) == digest(known)
    assert made.found[0].file is not None


def test_target_that_does_not_start_is_an_error_of_the_input(tmp_path: Path) -> None:
    def dead(scenario: Scenario, target: Path, runs: Path, stack: Any, reporter: Any) -> Played:
        return Played(scenario, Verdict.UNKNOWN, why="ingest died at start")

    with pytest.raises(InputError, match="ingest died at start"):
        search(dead, tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"seed": "x"}', '{"seed": 1, "schema": 99}'])
def test_position_that_cannot_be_read_begins_anew(text: str, tmp_path: Path) -> None:
    (tmp_path / saved.FILE.format("mine")).write_text(text)
    assert saved.start(tmp_path, "mine", None) == Position(1)


def test_position_is_written_and_read_back(tmp_path: Path) -> None:
    position = Position(7, 12, 20, 1, 2)
    saved.write(tmp_path, "mine", position)
    assert saved.start(tmp_path, "mine", None) == position
    assert saved.start(tmp_path, "other", None) == Position(1)
    assert saved.start(tmp_path, "mine", 7) == Position(7)


def test_memo_counts_trials_and_remembers_what_failed() -> None:
    memo, one = Memo(), trial(faults.Kill("worker-1"))
    assert memo.left(one) == MOST
    memo.note(Played(one, Verdict.PASSED))
    memo.note(Played(one, Verdict.FAILED, ("no_loss",)))
    assert memo.left(one) == 0
    assert (memo.failed(one, "no_loss"), memo.failed(one, "order_kept")) == (True, False)


def test_interruption_keeps_the_failure_as_far_as_it_was_shrunk(tmp_path: Path) -> None:
    oracle = Oracle(lambda s: holds(s, "kill"))

    def interrupted(scenario: Scenario, target: Path, runs: Path, stack: Any, reporter: Any) -> Played:
        played = oracle(scenario, target, runs, stack, reporter)
        if scenario.load.rate == LEAST_RATE and scenario.counts == {"worker": 1}:
            raise KeyboardInterrupt
        return played

    made = search(interrupted, tmp_path, lanes=1)
    (one,) = made.found
    assert (one.of, [at.fault.kind for at in one.scenario.timeline]) == (0, ["kill"])
    assert one.file is not None
    assert one.file.exists()


def test_failure_of_another_check_is_not_hidden_by_a_known_finding(tmp_path: Path) -> None:
    oracle = Oracle(lambda s: holds(s, "kill"))

    def play(scenario: Scenario, target: Path, runs: Path, stack: Any, reporter: Any) -> Played:
        played = oracle(scenario, target, runs, stack, reporter)
        both = bool(played.failed) and holds(scenario, "down")
        return replace(played, failed=("no_loss", "no_duplicates")) if both else played

    checks = {one.check for one in search(play, tmp_path, most_trials=400).found}
    assert checks == {"no_loss", "no_duplicates"}
