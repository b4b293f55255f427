"""The verdict in a terminal: no id is torn, nothing foreign is obeyed, and what is not shown is counted."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from shaketable.checks import CHECKS, NoLoss
from shaketable.checks.verdict import judge_history
from shaketable.report.terminal import summary
from tests.support.book import Part
from tests.support.histories import asks, exited, fault, history, probe, sent, stored

ID = "45c566c7-3724-456b-a948-e0bf3767d2{:02}"


def shown(*parts: Part, width: int = 80) -> str:
    doc, out = judge_history(history(*parts, stored("kept"), asks(NoLoss()))), StringIO()
    summary.show(doc, Path("runs/x"), console=Console(file=out, width=width))
    return out.getvalue()


def lost(count: int) -> list[Part]:
    return [sent(ID.format(n), at=n).acknowledged(n + 0.5) for n in range(count)]


def test_lost_events_have_a_line_each_and_the_others_are_counted() -> None:
    lines = shown(*lost(30)).splitlines()
    at = lines.index("no_loss: lost:")
    assert lines[at + 1 : at + 5] == [*(f"  {ID.format(n)}" for n in range(3)), "  … and 27 more"]


@pytest.mark.slow
def test_of_more_than_a_hundred_the_count_is_whole() -> None:
    assert "  … and 147 more" in shown(*[sent(f"e{n}", at=n / 10).acknowledged(n / 10) for n in range(150)])


def test_life_has_a_line_for_each_moment_and_goes_on_further_in() -> None:
    lines = shown(*lost(1), fault(0, 4, "postgres away"), probe(5, queue=0), exited("worker-1", 100.5)).splitlines()
    at = lines.index(f"{ID.format(0)} (lost)")
    assert lines[at + 1 : at + 6] == [
        "  meant for 0.00 s",
        "  attempt 1 at 0.00 s: acknowledged (202) at 0.50 s",
        "  last seen: at the intake, acknowledged at 0.50 s; at 5.00 s the queue was",
        "    empty: by then a worker had it, or it never was there",
        "  meanwhile: postgres away, 0.00 s to 4.00 s",
    ]


def test_no_line_is_wider_than_the_terminal_and_none_tears_an_id() -> None:
    told = shown(*lost(5), *(fault(n, n + 4, f"fault number {n}") for n in range(5)))
    assert max(map(len, told.splitlines())) <= 80
    assert all(ID.format(n) in told for n in range(3))
    assert "… and 2 more faults: landed" in told


def test_failed_run_fits_a_screen_and_ends_with_its_verdict() -> None:
    tries = sent(ID.format(0), at=0)
    for n in range(60):
        tries = tries.again(n + 1)
    storm = [fault(n, n + 4, f"fault number {n} of a long name") for n in range(30)]
    lines = shown(tries.acknowledged(70), *lost(5)[1:], probe(80, queue=0), *storm).rstrip().splitlines()
    assert len(lines) <= 40
    assert lines[1] == "verdict: FAILED – the one check that counts failed: no_loss"
    assert lines[-3:-1] == ["", lines[1]]
    told = " ".join(lines)
    assert all(told.count(name) == 1 for name in CHECKS.kinds() if name != "no_loss")


def test_fault_that_did_not_land_is_shown_among_many() -> None:
    told = shown(*lost(1), *(fault(n, n + 4, f"fault {n}", landed=n != 20) for n in range(30)))
    assert "fault 20: DID NOT LAND" in told


def test_passed_run_has_a_row_for_each_check_and_says_its_verdict_once() -> None:
    told = shown(sent("kept").acknowledged(0.5))
    rows = [line.split()[0].strip("()") for line in told.splitlines() if line]
    assert set(CHECKS.kinds()) <= set(rows)
    assert told.count("verdict: PASSED") == 1


def test_foreign_text_is_shown_and_not_obeyed() -> None:
    told = shown(sent("[red]\x1b[31mx\u202e[/red]", at=1).acknowledged(2), fault(1, 2, "[bold]away[/bold]\x07"))
    assert "[red]⟨U+001B⟩[31mx⟨U+202E⟩[/red]" in told
    assert "[bold]away[/bold]⟨U+0007⟩: landed" in told
    assert "\x1b" not in told


def test_life_of_many_moments_leaves_the_verdict_on_the_screen() -> None:
    tries = sent(ID.format(0), at=0)
    for n in range(60):
        tries = tries.again(n + 1)
    lines = shown(tries.acknowledged(70), *lost(5)[1:], probe(80, queue=0)).splitlines()
    at = next(n for n, line in enumerate(lines) if line == f"{ID.format(0)} (lost)")
    life = lines[at : lines.index("", at)]
    assert len([line for line in life if not line.startswith("    ")]) == summary.LIFE
    assert any("60 more moments" in line for line in life)
    assert life[-1] == "… and 4 more events in verdict.json and on the page"
