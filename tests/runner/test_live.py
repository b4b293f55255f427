"""What people watch says phase, events, health, breakers and faults, in words that need no colour."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from shaketable.runner.live import LiveReporter, picture
from shaketable.runner.progress import BriefReporter, PlainReporter, Status

STATUS = Status(
    "shake",
    12.4,
    4320,
    600,
    580,
    20,
    60,
    "OPEN",
    ["postgres unavailable (sink)"],
    {"worker-1": "OPEN", "worker-2": "CLOSED"},
)


def drawn(status: Status) -> str:
    console = Console(width=100, file=io.StringIO(), color_system=None)
    console.print(picture(status))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_picture_tells_all_without_colour() -> None:
    told = drawn(STATUS)
    for word in (
        "shake",
        "12 s",
        "4320 scheduled",
        "600 acknowledged",
        "580 stored",
        "20 queued",
        "60",
        "worker-1 OPEN",
        "worker-2 CLOSED",
        "postgres unavailable (sink)",
    ):
        assert word in told


def test_what_was_not_seen_is_a_dash_and_no_answer() -> None:
    told = drawn(Status("baseline"))
    assert "– stored" in told
    assert "no answer" in told


@pytest.mark.parametrize(("score", "full"), [(1e308, 20), (2**62, 20), (-1e9, 0), (float("nan"), 0), (50, 10)])
def test_health_that_no_score_can_have_ends_no_run(score: float, full: int) -> None:
    (line,) = [line for line in drawn(Status("shake", health=score)).splitlines() if "health" in line]
    assert (line.count("█"), line.count("░")) == (full, 20 - full)


def test_hostile_label_is_no_markup() -> None:
    assert "[bold]x[/bold]" in drawn(Status("shake", faults=["[bold]x[/bold]"]))


def test_live_view_keeps_what_was_said() -> None:
    out = io.StringIO()
    with LiveReporter(Console(width=100, file=out, force_terminal=True, highlight=False)) as show:
        show.print("worker-1 died by itself")
        show.update(STATUS)
    assert "worker-1 died by itself" in out.getvalue()


def test_live_view_of_one_run_of_many_stands_below_how_all_stand() -> None:
    out = io.StringIO()
    with LiveReporter(Console(width=100, file=out, force_terminal=True, highlight=False), above="rq × calm") as show:
        show.update(STATUS)
    assert out.getvalue().index("rq × calm") < out.getvalue().index("4320 scheduled")


def test_brief_lines_are_only_what_was_said() -> None:
    out = io.StringIO()
    with BriefReporter(out) as show:
        show.update(STATUS)
        show.print("worker-1 died by itself")
    assert [line.split("s  ")[1] for line in out.getvalue().splitlines()] == ["worker-1 died by itself"]


def test_plain_lines_come_with_each_change_of_phase_or_fault_and_not_more() -> None:
    out = io.StringIO()
    with PlainReporter(out) as show:
        for status in (Status("baseline"), Status("baseline"), Status("shake"), STATUS, STATUS):
            show.update(status)
    assert len(out.getvalue().splitlines()) == 3
    assert "FAULT postgres unavailable (sink)" in out.getvalue()
