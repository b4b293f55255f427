"""Breaker transitions in a log: read by a pattern, in the form of those that a process writes to its file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from shaketable import rundir
from shaketable.clock import MS, SECOND, Pair
from shaketable.evidence.history import observations
from shaketable.rundir import RunDir
from shaketable.target import breaker_log, transitions
from shaketable.target.breaker_log import Breaker

#: 2026-11-24T01:30:28Z is 1,000 s on the monotonic clock.
WALL = 1_795_483_828
NOW = Pair(1_000 * SECOND, WALL * SECOND)
WORDS = Breaker("worker", r"^(?P<at>\S+) breaker: (?P<from>\w+) -> (?P<to>[\w-]+)")
LOG = """\
starting
2026-11-24T01:30:28.102Z breaker: closed -> open
2026-11-24T01:30:33.200Z breaker: open -> half-open
2026-11-24T01:30:33.250Z breaker: halfOpen -> closed
2026-11-24T01:30:40.000Z breaker: closed -> open
"""


def read(
    folder: Path, log: str, breaker: Breaker = WORDS, began: tuple[int, ...] = (990 * SECOND,)
) -> list[tuple[object, ...]]:
    """What the checks see: incarnation, number, from, to, and the time in ms after NOW."""
    run = RunDir(folder)
    run.logs.mkdir(exist_ok=True)
    (run.logs / "worker-1.log").write_text(log)
    transitions.collect(run, folder / "state", breaker_log.transitions(breaker, "worker-1", began, run.logs, NOW))
    found = observations.transitions(run)
    assert found is not None
    times = [(time - NOW.monotonic) // MS if time >= 0 else None for time in found.time.tolist()]
    columns = (found[name].tolist() for name in ("incarnation", "seq", "from_", "to"))
    return list(zip(*columns, times, strict=True))


def test_lines_become_transitions_of_the_incarnation_that_ran_then(tmp_path: Path) -> None:
    assert read(tmp_path, LOG, began=(990 * SECOND, 1_010 * SECOND)) == [
        ("1", 0, None, "CLOSED", -10_000),
        ("1", 1, "CLOSED", "OPEN", 102),
        ("1", 2, "OPEN", "HALF_OPEN", 5_200),
        ("1", 3, "HALF_OPEN", "CLOSED", 5_250),
        ("2", 0, None, "CLOSED", 10_000),
        ("2", 1, "CLOSED", "OPEN", 12_000),
    ]
    assert breaker_log.last_state(WORDS, tmp_path / rundir.LOGS / "worker-1.log") == "OPEN"


def test_without_from_the_state_is_the_one_before(tmp_path: Path) -> None:
    found = read(tmp_path, LOG, Breaker("worker", r"^(?P<at>\S+) breaker: \w+ -> (?P<to>[\w-]+)"))
    assert [row[2:4] for row in found][1:3] == [("CLOSED", "OPEN"), ("OPEN", "HALF_OPEN")]


def test_breaker_that_logged_nothing_was_closed_from_its_start(tmp_path: Path) -> None:
    assert read(tmp_path, "starting\n") == [("1", 0, None, "CLOSED", -10_000)]


@pytest.mark.parametrize(
    ("at", "milliseconds"),
    [
        ("2026-11-24T01:30:28.102717Z", 102),
        ("2026-11-24T02:30:28,102+01:00", 102),
        (f"{WALL}.102", 102),
        (f"{WALL}102", 102),
        (f"{WALL}102717", 102),
        (f"{WALL}102717123", 102),
        ("2026-11-24T01:30:28Z", None),  # no milliseconds: when is not known
        (f"{WALL}", None),
        ("yesterday", None),
    ],
)
def test_times_are_read_in_the_forms_of_usual_loggers(at: str, milliseconds: int | None, tmp_path: Path) -> None:
    (_, line) = read(tmp_path, f"{at} breaker: closed -> open\n")
    assert line[4] == milliseconds


def test_local_times_are_those_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for zone, text in (("UTC", "2026/11/24 01:30:28.102"), ("Asia/Kolkata", "2026-11-24 07:00:28,102")):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert (breaker_log.monotonic(text, NOW) - NOW.monotonic) // MS == 102
    monkeypatch.undo()
    time.tzset()


def test_unknown_state_is_a_missing_transition(tmp_path: Path) -> None:
    assert -1 in [row[1] for row in read(tmp_path, "2026-11-24T01:30:28.102Z breaker: closed -> ajar\n")]


def test_log_that_is_not_read_to_its_end_is_a_missing_transition(tmp_path: Path) -> None:
    read(tmp_path, LOG)
    with (tmp_path / rundir.LOGS / "worker-1.log").open("ab") as out:
        out.truncate(breaker_log.MOST + 1)
    found = list(breaker_log.transitions(WORDS, "worker-1", (0,), tmp_path / rundir.LOGS, NOW))
    assert "is not read further" in found[0]["reason"]
    assert list(breaker_log.transitions(WORDS, "worker-2", (0,), tmp_path / rundir.LOGS, NOW))  # there is none
