"""What a comparison found, written into the README and a page of docs."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.compare.cell import Compared
from tests.support.comparisons import kept, losing, played, read, stopped
from tools.comparison import BEGIN, END, ROOT, page, readme


@pytest.fixture
def found(tmp_path: Path) -> Compared:
    held = kept(tmp_path / "compare", ["celery-defaults", "bullmq-defaults"])
    played(held, "celery-defaults", *losing(3))
    stopped(held, "bullmq-defaults", "skipped", "expected npm, " * 20)
    return read(held)


def test_readme_gets_the_table_in_its_place_and_keeps_all_else(found: Compared) -> None:
    once = readme(f"before\n{BEGIN}\nold\n{END}\nafter\n", found)
    assert once.startswith("before\n")
    assert once.endswith(f"{END}\nafter\n")
    assert "old" not in once
    assert "| celery-defaults | 3 / unknown |" in once
    assert "| bullmq-defaults | skipped |" in once
    assert "celery 5.6.0" in once
    assert readme(once, found) == once


def test_readme_has_a_place_for_it(found: Compared) -> None:
    assert "| celery-defaults |" in readme((ROOT / "README.md").read_text(), found)
    with pytest.raises(ValueError, match="put them where the table belongs"):
        readme("nothing", found)


def test_page_fits_and_tells_why_something_was_skipped(found: Compared) -> None:
    told = page(found)
    assert [line for line in told.splitlines() if len(line) > 130] == []
    assert "- bullmq-defaults: skipped: expected npm" in told
