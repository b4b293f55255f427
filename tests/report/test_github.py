"""Annotations and the step's summary: one line is one command, one row one run, whatever a target says."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.errors import HarnessError
from shaketable.report.ci import github
from shaketable.text import escaped
from tests.support.results import judged, played

HOSTILE = "100 % lost\r\n::set-env name=PATH::/evil\n| a | `b` | <img> [x](y) \u202e"


def test_each_check_that_counts_and_did_not_pass_is_an_error() -> None:
    checks = {
        "no_loss": judged("failed", "8 lost"),
        "order_kept": judged("unknown", "no pair"),
        "isolated": judged("passed"),
        "memory_bounded": judged("failed", "grew", required=False),
        "breaker_behaves": judged("not applicable", "none"),
    }
    assert github.commands([played("failed", checks=checks), played()]) == [
        "::error title=outage%3A no_loss failed::8 lost",
        "::error title=outage%3A order_kept unknown::no pair",
    ]


def test_run_without_a_verdict_or_whose_evidence_is_doubtful_is_an_error() -> None:
    sound = {"no_loss": judged("passed")}
    said = github.commands([played("error", why="no Toxiproxy"), played("unknown", reasons=["busy"], checks=sound)])
    assert said == [
        "::error title=outage%3A error::no Toxiproxy",
        "::error title=outage%3A unknown::busy",
    ]


def test_what_a_target_says_cannot_become_a_command_of_its_own() -> None:
    (line,) = github.commands([played("failed", "a,b:c\n::x", checks={"no_loss": judged("failed", HOSTILE)})])
    assert "\n" not in line
    assert "\r" not in line
    assert line.startswith("::error title=a%2Cb%3Ac⟨U+000A⟩%3A %3Ax%3A no_loss failed::100 %25 lost%0A: :set-env")
    assert "⟨U+202E⟩" in line
    assert "⟨U+D800⟩" in github.command("x", "\ud800")  # which no encoding can print


def test_no_more_annotations_than_github_shows() -> None:
    said = github.commands([played("failed", f"s{n}") for n in range(15)])
    assert len(said) == github.MOST
    assert said[-1].startswith("::error title=shaketable::6 more")


def test_summary_is_a_table_with_a_row_for_each_run() -> None:
    told = github.markdown(
        [
            played(figures={"acknowledged": 4200, "heal_to_empty_backlog_s": 1.52}),
            played("failed", "calm", trial=2, checks={"no_loss": judged("failed", "8 lost", lost=8)}),
        ]
    ).splitlines()
    assert told[0] == "### ❌ shaketable: failed"
    assert told[4] == "| outage | ✅ passed | 1 check passed | 4,200 | 0 | 1.5 s | x |"
    assert told[5] == r"| calm (trial 2) | ❌ failed | calm (trial 2): no\_loss failed: 8 lost | 100 | 8 | – | x |"


def test_summary_says_what_trials_prove() -> None:
    told = github.markdown([played(), played(trial=2), played(scenario="calm")])
    assert "outage: failed: none in 2 trials: at most 78 % of trials, with 95 % confidence" in told.splitlines()
    assert "calm: " not in told


def test_hostile_text_stays_in_its_cell() -> None:
    told = github.markdown([played("failed", checks={"no_loss": judged("failed", HOSTILE)})])
    (row,) = [line for line in told.splitlines() if "100 %" in line]
    assert row.replace(r"\|", "").count("|") == 8
    assert r"\<img\> \[x\](y) ⟨U+202E⟩" in row


def test_nobody_is_mentioned_and_nothing_is_linked() -> None:
    told = escaped("@team a@b.c https://evil.example www.evil.example #12")
    assert told.replace("\u200b", "|") == r"@|team a@|b.c https:|//evil.example www|.evil.example \#|12"


def test_summary_is_added_to_what_the_step_said_before(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    github.append(github.markdown([played()]), {github.SUMMARY: str(file)})
    assert file.read_text().startswith("before\n### ✅ shaketable: passed\n")
    github.append(github.markdown([played()]), {})  # not in GitHub Actions: there is nowhere to write


def test_summary_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot write the step's summary"):
        github.append(github.markdown([played()]), {github.SUMMARY: str(tmp_path)})


def test_summary_stays_below_what_github_takes_whatever_a_log_holds(tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    runs = [played("error", f"s{n}", why="\u4e2d" * 2_000_000) for n in range(3)]
    for _ in range(3):
        github.append(github.markdown(runs), {github.SUMMARY: str(summary)})
        github.append("a line of a summary\n" * 40_000, {github.SUMMARY: str(summary)})
    written = summary.read_text(encoding="utf-8")
    assert len(written.encode()) < 1 << 20
    assert "more lines: the summary is full" in written
    assert written.count("| s2 |") >= 1


def test_one_annotation_is_of_a_length_that_people_read() -> None:
    (line,) = github.commands([played("error", "x" * 2_000_000, why="y" * 2_000_000)])
    assert len(line) < 3 * github.LONGEST
    assert "more characters" in line
