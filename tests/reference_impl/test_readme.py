"""The reference's README and tour name what is there, and all of it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import reference_impl

HERE, PACKAGE = Path(__file__).parent, Path(reference_impl.__file__).parent
#: Of the first table: what stands below it are other tables.
PROMISES = (PACKAGE / "README.md").read_text().partition("\n## ")[0]
ROWS = [line.split("|")[1:4] for line in PROMISES.splitlines() if line.startswith("| ")][1:]
ROOMS = {path.parent.name: path.parent for path in PACKAGE.glob("*/__init__.py")}


@pytest.mark.parametrize(("promise", "kept_by", "shown_by"), ROWS)
def test_a_promise_names_files_and_tests_that_exist(promise: str, kept_by: str, shown_by: str) -> None:
    for folder, names in ((PACKAGE, kept_by), (HERE, shown_by)):
        found = re.findall(r"`([\w/]+(?:\.py|/))`", names)
        assert found, promise
        assert [name for name in found if not (folder / name).exists()] == []


def test_every_test_of_the_reference_shows_a_promise() -> None:
    shown = {name for *_, tests in ROWS for name in re.findall(r"`(test_\w+\.py)`", tests)}
    assert {path.name for path in HERE.glob("test_*.py")} - {"test_readme.py"} == shown


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_the_tour_of_a_room_names_every_module_and_no_other(room: str) -> None:
    folder = PACKAGE / room
    there = {path.stem for path in folder.glob("*.py")} | (set() if room else ROOMS.keys())
    tour = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    assert set(re.findall(r"`(\w+)`", tour)) == there - {"__init__", "__main__"}
