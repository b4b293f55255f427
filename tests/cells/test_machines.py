"""What --jobs, --on and --results ask for."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from shaketable.cells.machines import Machines
from shaketable.errors import InputError, ToolchainMissing


def test_options_name_the_machines() -> None:
    assert Machines.of(None, "", "") is None
    assert Machines.of(2, "", "") == Machines(jobs=2)
    assert Machines.of(None, "tcp://10.0.0.5:8786", "s3://b") == Machines(0, "tcp://10.0.0.5:8786", "s3://b")


@pytest.mark.parametrize(
    "given", [(None, "", "s3://b"), (2, "tcp://a:1", "s3://b"), (None, "a:1", "s3://b"), (None, "tcp://a:1", "")]
)
def test_options_that_do_not_fit_are_refused(given: tuple[int | None, str, str]) -> None:
    with pytest.raises(InputError):
        Machines.of(*given)


def test_machine_without_the_extra_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ToolchainMissing, match=r"shaketable\[cluster\]"):
        Machines.of(2, "", "")


def test_folder_is_named_whole_since_workers_have_folders_of_their_own(tmp_path: Path) -> None:
    assert Machines(2, results="here").url(tmp_path) == str(Path("here").resolve())
    assert Machines(2, results="s3://b").url(tmp_path) == "s3://b"
    assert Machines(2).url(tmp_path / "results") == str(tmp_path / "results")
