"""docs/comparison.md is made from the results of a comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.compare.cell import Compared
from tests.support.comparisons import kept, losing, played, read, stopped
from tools.comparison import page


@pytest.fixture
def found(tmp_path: Path) -> Compared:
    held = kept(tmp_path / "compare", ["celery-defaults", "bullmq-defaults"])
    played(held, "celery-defaults", *losing(3))
    stopped(held, "bullmq-defaults", "skipped", "expected npm, " * 20)
    return read(held)


def test_page_begins_with_one_table_of_all_scenarios(found: Compared) -> None:
    brief, _, details = page(found).partition("\n## By scenario\n")
    assert "| celery-defaults | 3 / unknown |" in brief
    assert "| bullmq-defaults | skipped |" in brief
    assert "celery 5.6.0" in details


def test_page_fits_and_tells_why_something_was_skipped(found: Compared) -> None:
    told = page(found)
    assert [line for line in told.splitlines() if len(line) > 130 and not line.startswith("| ")] == []
    assert "- bullmq-defaults: skipped: expected npm" in told
