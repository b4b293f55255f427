"""The JUnit file: whatever did not pass is no pass there either, and whatever a target says is XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from shaketable.errors import HarnessError
from shaketable.report.ci import junit
from shaketable.results.result import Result
from tests.support.results import judged, played

HOSTILE = "nul \x00 bell \x07 escape \x1b[31m lone \ud800 not a character \ufffe\uffff turned \u202e ]]> <&\"' \r\n end"


def suites(*runs: Result) -> list[ET.Element]:
    return list(ET.fromstring(junit.document(runs)))


def case(name: str, suite: ET.Element) -> ET.Element:
    return next(each for each in suite.iter("testcase") if each.get("name") == name)


def outcome(name: str, suite: ET.Element) -> str:
    return next((child.tag for child in case(name, suite)), "passed")


def test_run_that_failed_without_a_check_is_a_failure_and_no_error() -> None:
    for verdict, kind in (("failed", "failure"), ("unknown", "error"), ("error", "error")):
        (suite,) = suites(played(verdict, why="it sustained no rate"))  # type: ignore[arg-type]
        assert outcome(junit.RUN, suite) == kind


def test_rest_of_many_members_is_counted_in_full() -> None:
    many = judged("failed", members={"lost": [str(n) for n in range(junit.SHOWN)]}, lost=2_000_300)
    assert list(junit.evidence(many))[-1].endswith("and 2,000,290 more")


def test_every_verdict_is_what_a_gate_must_read() -> None:
    checks = {
        "no_loss": judged("failed", "8 lost"),
        "order_kept": judged("unknown", "no pair"),
        "isolated": judged("passed"),
        "breaker_behaves": judged("not applicable", "it has none"),
    }
    (suite,) = suites(played("failed", checks=checks, seconds=12.5))
    assert [outcome(name, suite) for name in checks] == ["failure", "error", "passed", "skipped"]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == (
        "5",
        "1",
        "1",
        "1",
    )
    assert suite.get("time") == "12.5"
    assert {each.get("classname") for each in suite.iter("testcase")} == {"shaketable.outage"}


def test_check_that_does_not_count_is_skipped_whatever_it_found() -> None:
    checks = {"no_loss": judged("passed"), "isolated": judged("failed", "held up", required=False)}
    (suite,) = suites(played(checks=checks))
    assert outcome("isolated", suite) == "skipped"
    (skipped,) = case("isolated", suite)
    assert skipped.get("message") == "does not count here; failed: held up"


def test_failure_has_sentence_counts_and_the_first_members() -> None:
    lost = [f"e{n}" for n in range(30)]
    found = judged("failed", "30 are lost", members={"lost": lost, "stored": ["s"]}, acknowledged=1234, lost=30)
    (suite,) = suites(played("failed", checks={"no_loss": found}))
    (failure,) = case("no_loss", suite)
    assert failure.get("message") == "30 are lost"
    assert failure.text == ("acknowledged 1,234, lost 30\nlost: e0, e1, e2, e3, e4, e5, e6, e7, e8, e9 … and 20 more")


@pytest.mark.parametrize(
    "run",
    [
        played("error", why="Toxiproxy does not answer"),
        played("interrupted", checks={}),
        played("unknown", reasons=["a fault did not land"], checks={"no_loss": judged("passed")}),
        played("unknown", checks={"isolated": judged("not applicable")}),
        played("unknown", checks={}),
    ],
)
def test_run_that_cannot_be_judged_is_an_error(run: Result) -> None:
    (suite,) = suites(run)
    assert outcome(junit.RUN, suite) == "error"
    assert int(suite.get("errors", "0")) == 1


def test_counts_figures_and_origin_are_properties() -> None:
    run = played(checks={"no_loss": judged("passed", lost=0, stored=99)}, figures={"run_s": 9.5, "unknown": None})
    (suite,) = suites(run)
    told = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert told == {
        "target": "reference",
        "seed": "1",
        "trial": "1",
        "run": "runs/x",
        "verdict": "passed",
        "no_loss.lost": "0",
        "no_loss.stored": "99",
        "run_s": "9.5",
    }


def test_trials_are_suites_of_their_own() -> None:
    assert [suite.get("name") for suite in suites(played(), played(trial=2))] == ["outage", "outage (trial 2)"]


def test_whatever_a_target_says_is_legal_xml_and_can_be_read(tmp_path: Path) -> None:
    counts: dict[str, Any] = {HOSTILE: 1}
    found = judged("failed", HOSTILE, members={HOSTILE: [HOSTILE]}, **counts)
    file = tmp_path / "junit.xml"
    junit.write(file, [played("failed", HOSTILE, checks={HOSTILE: found}, run=HOSTILE), played("error", why=HOSTILE)])
    first, second = JUnitXml.fromfile(str(file))
    message = next(each.result[0].message for each in first if each.result)
    assert "⟨U+0000⟩" in message
    assert "⟨U+D800⟩ not a character ⟨U+FFFE⟩⟨U+FFFF⟩ turned ⟨U+202E⟩ ]]> <&\"' ⟨U+000D⟩⟨U+000A⟩ end" in message
    assert second.errors == 1


def test_disk_that_refuses_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot write"):
        junit.write(tmp_path / "none" / "junit.xml", [played()])


def test_every_case_has_an_identity_of_its_own_over_trials() -> None:
    runs = [played(trial=n, scenario=name) for name in ("outage", "calm") for n in (1, 2, 3)]
    cases = [(each.get("classname"), each.get("name")) for suite in suites(*runs) for each in suite.iter("testcase")]
    assert len(set(cases)) == len(cases) == 12
    assert ("shaketable.outage", junit.RUN) in cases  # of one trial as ever


@pytest.mark.nightly
def test_every_character_there_is_makes_legal_xml() -> None:
    for begin in range(0, 0x110000, junit.MOST // 2):
        text = "".join(map(chr, range(begin, min(begin + junit.MOST // 2, 0x110000))))
        (suite,) = suites(played("failed", text, checks={text: judged("failed", text)}, target=text, reasons=[text]))
        assert suite.get("name")


def test_log_of_any_length_makes_a_file_that_readers_take() -> None:
    assert len(junit.document([played("error", why="x" * 2_000_000)])) < 100_000
