"""The docs are true: generated pages are fresh, every file and op is told of, no link leads nowhere."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from shaketable import rundir
from shaketable.op import Kind

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MAKE = runpy.run_path(str(ROOT / "tools" / "make_docs.py"))


@pytest.mark.parametrize("name", MAKE["PAGES"])
def test_generated_page_is_fresh(name: str) -> None:
    assert (DOCS / name).read_text() == MAKE["PAGES"][name](), "run: python tools/make_docs.py"


def test_every_file_of_a_run_directory_is_told_of() -> None:
    told = (DOCS / "run-directory.md").read_text()
    names = {v for k, v in vars(rundir).items() if k.isupper() and isinstance(v, str) and v.endswith(("json", "jsonl"))}
    assert {name for name in names if name not in told} == set()


def test_every_kind_of_op_is_told_of() -> None:
    told = (DOCS / "run-directory.md").read_text()
    assert {kind.value for kind in Kind if f"`{kind.value}`" not in told} == set()


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))])
def test_no_link_leads_nowhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text())
    assert [link for link in links if not link.startswith("http") and not (page.parent / link).exists()] == []
