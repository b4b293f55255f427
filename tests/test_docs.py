"""The docs are true: generated pages are fresh, every key, file and op is told of, no link leads nowhere."""

from __future__ import annotations

import argparse
import re
import runpy
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from shaketable import rundir
from shaketable.load import options as load_options
from shaketable.load.mix import SHARES
from shaketable.load.schedule import SHAPES
from shaketable.op import Kind
from shaketable.target import manifest
from tests.support.manifest_keys import SECTIONS, row

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
MAKE = runpy.run_path(str(ROOT / "tools" / "make_docs.py"))


def structs(kind: Any) -> set[type[msgspec.Struct]]:
    """The Structs that a type is made of, at any depth."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return {found for arg in get_args(kind) for found in structs(arg)}
    return {kind}.union(*(structs(field.type) for field in msgspec.structs.fields(kind)))


@pytest.mark.parametrize("name", MAKE["PAGES"])
def test_generated_page_is_fresh(name: str) -> None:
    assert (DOCS / name).read_text() == MAKE["PAGES"][name](), "run: python -m tools.make_docs"


def test_every_part_of_a_manifest_is_in_the_list() -> None:
    assert structs(manifest.Manifest) == set(SECTIONS)


def test_contract_tells_type_default_unit_and_meaning_of_every_key() -> None:
    _, _, told = (DOCS / "contract.md").read_text().partition("## The manifest, key by key")
    rows = re.findall(r"^(\| `.*?) ([^|]*) \|$", told, re.M)
    expected = [row(field) for struct in SECTIONS for field in msgspec.structs.fields(struct)]
    assert [key for key, _ in rows] == expected
    assert [key for key, meaning in rows if len(meaning.split()) < 2 and meaning != "below"] == []


def test_every_file_of_a_run_directory_is_told_of() -> None:
    told = (DOCS / "run-directory.md").read_text()
    files = {v for k, v in vars(rundir).items() if k.isupper() and isinstance(v, str)}
    assert {"verdict.json", "logs", "latest"} <= files
    assert {name for name in files if not re.search(rf"[`/]{re.escape(name)}[`/]", told)} == set()


def test_every_kind_of_op_is_told_of() -> None:
    told = (DOCS / "run-directory.md").read_text()
    assert {kind.value for kind in Kind if f"| `{kind.value}` |" not in told} == set()


def test_every_shape_of_a_load_and_every_share_of_a_mix_is_told_of() -> None:
    told = (DOCS / "scenarios.md").read_text()
    assert [name for name in SHAPES if f"| `{name}` |" not in told] == []
    assert [name for name in SHARES if name not in told] == []


def test_index_names_every_page() -> None:
    linked = set(re.findall(r"^(?:-|\d\.) \[.*?\]\(([^)#]+)\)", (DOCS / "README.md").read_text(), re.M))
    assert {str(path.relative_to(DOCS)) for path in PAGES + sorted(DOCS.glob("*.json"))} - {"README.md"} == linked


def test_readme_fits_on_a_few_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda page: page.name)
def test_no_link_leads_nowhere(page: Path) -> None:
    links = [link.partition("#") for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())]
    near = [(page.parent / path if path else page, anchor) for path, _, anchor in links if not path.startswith("http")]
    assert [str(to) for to, _ in near if not to.exists()] == []
    assert [anchor for to, anchor in near if anchor and anchor not in anchors(to)] == []


def anchors(page: Path) -> set[str]:
    """What a page's headings are called in links."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_fits_and_names_no_place_of_a_machine(page: Path) -> None:
    lines = page.read_text().splitlines()
    assert [line for line in lines if len(line) > 130 and not line.startswith("| ")] == []  # a row cannot be wrapped
    assert [line for line in lines if re.search(r"(?<![\w.`])/(home|root|tmp|usr|var|work)/", line)] == []


def test_every_option_of_the_load_is_told_of_in_its_page_and_in_help() -> None:
    parser = argparse.ArgumentParser(conflict_handler="resolve")
    told, hidden = (DOCS / "load.md").read_text(), {"run_dir", "drained", "traced"}
    add = parser.add_argument
    parser.add_argument = lambda *names, include_in_web_ui=True, **how: add(*names, **how)  # type: ignore[method-assign]
    load_options.add_options(parser)
    options = [action for action in parser._actions if action.dest not in {"help"} | hidden]
    assert len(options) > 5
    assert [option.option_strings[0] for option in options if f"| `{option.option_strings[0]}` |" not in told] == []
    assert [option.dest for option in options if not option.help] == []
