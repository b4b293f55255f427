"""Words: numbers for people, and a verdict in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from shaketable.report.page.sentence import sentence, verdict
from shaketable.text import in_a_line, listed, number, plain, quantity, visible


@pytest.mark.parametrize(
    ("value", "told"),
    [(4234, "4,234"), (15.743, "15.7"), (0.0481, "0.0481"), (None, "–"), (float("nan"), "–"), (True, "True")],
)
def test_numbers_are_for_people(value: object, told: str) -> None:
    assert number(value) == told


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("intake_p99_ms", 15.743, ("intake p99", "15.7 ms")),
        ("stored_per_s", 117.6, ("stored", "117.6/s")),
        ("attempts", 4405, ("attempts", "4,405")),
        ("run_s", None, ("run", "–")),
    ],
)
def test_units_stand_behind_the_number(name: str, value: float | None, told: tuple[str, str]) -> None:
    assert quantity(name, value) == told


def test_invisible_characters_are_shown() -> None:
    assert visible("a\u202eb\x00c\ud800") == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+D800⟩"


@pytest.mark.parametrize("text", ["::error::x", "  ::stop-commands::x", ":::x", "##[add-mask]x", "a ###[x]", "a::b"])
def test_nothing_in_foreign_text_is_a_command_of_a_workflow(text: str) -> None:
    shown = visible(text)
    assert "::" not in shown  # wherever a narrow terminal folds it
    assert "##[" not in shown
    assert shown.replace(" ", "") == text.replace(" ", "")


def test_end_of_a_log_is_one_line() -> None:
    assert in_a_line("died: a\r\n\n\u2028\x1b[1m\n::x\n") == "died: a | ⟨U+001B⟩[1m | : :x"


def test_label_holds_nothing_that_is_typeset_or_markup() -> None:
    assert not set(plain("$$x$$ \\(y\\) <b> &amp; \u202e")) & set("$\\<>&\u202e")


def test_label_is_short() -> None:
    assert len(plain("x" * 500)) == 48


def test_long_lists_are_counted() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(list("abcdef"), most=3) == "a, b and 4 more"


def finding(verdict: str, why: str = "", required: bool = True) -> dict[str, Any]:
    return {"verdict": verdict, "why": why, "required": required}


def test_run_that_passed_names_what_held() -> None:
    doc = {
        "verdict": "passed",
        "faults": [{}, {}],
        "checks": {"no_loss": finding("passed"), "order_kept": finding("passed")},
    }
    assert sentence(doc) == "Through 2 faults, no acknowledged event was lost and their order was kept."


def test_law_that_was_broken_as_expected_is_not_one_that_held() -> None:
    lost = finding("passed", "failed, as expected: 512 events are gone") | {"expected": "failed"}
    told = sentence({"verdict": "passed", "checks": {"no_loss": lost, "order_kept": finding("passed")}})
    assert told == "With nothing broken, no_loss failed as expected and their order was kept."
    assert sentence({"verdict": "passed", "checks": {"no_loss": lost}}).endswith("no_loss failed as expected.")


def test_run_that_failed_says_why_and_counts_the_rest() -> None:
    checks = {"no_loss": finding("failed", "8 events are gone"), "order_kept": finding("passed")}
    assert (
        sentence({"verdict": "failed", "checks": checks})
        == "8 events are gone (no_loss). 1 other check that counts passed."
    )


def test_of_many_checks_that_failed_the_first_reasons_are_told() -> None:
    checks = {name: finding("failed", name) for name in "abcdef"}
    assert sentence({"verdict": "failed", "checks": checks}) == "A (a); b (b); c (c); 3 more checks failed."
    assert sentence({"verdict": "failed", "checks": {name: checks[name] for name in "abcd"}}).count("(") == 4


def test_check_that_does_not_count_is_not_in_the_sentence() -> None:
    checks = {"no_loss": finding("passed"), "order_kept": finding("failed", "b before a", required=False)}
    assert sentence({"verdict": "passed", "checks": checks}) == "With nothing broken, no acknowledged event was lost."


def test_unknown_run_says_what_is_missing() -> None:
    doc = {
        "verdict": "unknown",
        "reasons": ["no load was planned"],
        "checks": {"no_loss": finding("unknown", "nothing sent")},
    }
    assert sentence(doc) == "The run cannot be judged: no load was planned; nothing sent (no_loss)."


def test_run_that_nobody_judged_says_so() -> None:
    assert verdict({}) == "not judged"
    assert "shaketable check" in sentence({})


def test_foreign_verdict_is_unknown() -> None:
    assert verdict({"verdict": "<b>"}) == "unknown"
