"""A run directory: whole or not at all, found or named, at an absolute path."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from shaketable import rundir
from shaketable.errors import HarnessError, RunDirError


def test_run_is_at_an_absolute_path_whatever_it_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = rundir.create(Path("runs"), "calm", "reference")
    assert run.path.is_absolute()
    assert (tmp_path / "runs" / "latest").resolve() == run.path


def test_latest_leads_to_the_newest(tmp_path: Path) -> None:
    rundir.create(tmp_path, "calm", "reference")
    second = rundir.create(tmp_path, "calm", "reference")
    assert (tmp_path / "latest").resolve() == second.path


def test_torn_last_line_is_none_and_a_broken_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(b'{"a":1}\n{"a":')
    assert list(rundir.read_lines(path, dict)) == [{"a": 1}]
    path.write_bytes(b'{"a":1}\n{"a":\n')
    with pytest.raises(RunDirError, match=r"some.jsonl line 2"):
        list(rundir.read_lines(path, dict))


def test_lines_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    with pytest.raises(TypeError):
        rundir.write_lines(path, iter([{"a": 1}, {"b": object()}]))
    assert not path.exists()


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "free disk space"), (errno.EROFS, "writable"), (errno.EACCES, "writable"), (errno.ENOENT, "gone")],
)
def test_refused_file_is_told_with_the_remedy_of_its_error(number: int, remedy: str) -> None:
    told = str(rundir.refused(Path("verdict.json"), OSError(number, os.strerror(number))))
    assert remedy in told
    assert ("disk space" in told) == (number == errno.ENOSPC)


def test_file_of_a_folder_that_is_gone_needs_no_disk_space(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="gone"):
        rundir.write_json(tmp_path / "gone" / "verdict.json", {})
