"""A library whose path LD_PRELOAD splits is refused before a server starts without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.errors import NotPlayable
from shaketable.stack import preload
from shaketable.stack.disk_shim.disk import Disk
from shaketable.stack.process import environment
from shaketable.stack.wall_clock import library


@pytest.mark.parametrize("name", ["my tmp", "a:b"])
def test_folder_that_splits_the_variable_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    built, folder = tmp_path / "built.so", tmp_path / name
    built.touch()
    folder.mkdir()
    with pytest.raises(NotPlayable, match=rf"{name}.* TMPDIR"):
        Disk(folder / "disk", tmp_path, built, None)
    assert list(folder.iterdir()) == []
    assert "at which LD_PRELOAD is split: install" in library.problem(folder / "libfaketime.so")
    assert preload.problem(built) == ""


def test_variable_may_have_the_name_of_a_parameter() -> None:
    assert environment(Path("/home"), home="x", self="y")["home"] == "x"
