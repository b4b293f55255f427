"""A failed cell of a comparison shows what failed: there is a column for every anomaly."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.checks import ContentIntact, HealthHonest, NothingInvented, RefusesRightly
from shaketable.compare import forms, page
from shaketable.compare.comparison import Comparison
from shaketable.compare.forms import told
from tests.support.book import Part
from tests.support.comparisons import kept, line, losing, played, read
from tests.support.histories import asks, every, probe, sent, stored


@pytest.fixture
def held(tmp_path: Path) -> Comparison:
    return kept(tmp_path / "compare", ["a"])


def wrong_in_one_way() -> dict[str, list[Part]]:
    """By column: a run that fails, and nothing else is wrong with it."""
    good: list[Part] = [sent("good", at=1).acknowledged(1.1), stored("good", at=2)]
    bad = sent("bad", at=2, expect="refuse")
    return {
        "altered": [*good, sent("x").acknowledged(1), stored("x", event={"eventId": "x"}), asks(ContentIntact())],
        "invented": [*good, stored("nobody's"), asks(NothingInvented())],
        "misanswered": [*good, bad.acknowledged(3), asks(RefusesRightly())],
        "other laws": [*good, probe(*every(0.2, 0, 90), health=5), asks(HealthHonest())],
    }


@pytest.mark.parametrize("column", ["altered", "invented", "misanswered", "other laws"])
def test_failed_cell_is_never_all_zeros(held: Comparison, column: str) -> None:
    played(held, "a", *wrong_in_one_way()[column])
    row = dict(zip(forms.HEADS, told(line(held, "a")), strict=True))
    assert row["verdict"] == "failed"
    assert row[column] == "1"
    assert column in forms.heads(read(held).blocks[0])
    assert f"| {column} |" in forms.markdown(read(held))
    assert 'class="bad"' in page.html(read(held), held.path)


def test_rare_columns_are_left_out_where_there_is_nothing_of_the_kind(held: Comparison) -> None:
    played(held, "a", *losing(1))
    assert not {*forms.RARE} & {*forms.heads(read(held).blocks[0])}
