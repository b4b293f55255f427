"""An undo journal that a full disk has torn: everything else of it is undone, and other journals are too."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import msgspec
import psutil
import pytest

from shaketable.errors import HarnessError
from shaketable.stack import supervisor
from shaketable.stack.process import RUN_VARIABLE
from tests.stack.test_supervisor import all_gone


@pytest.fixture(autouse=True)
def _own_journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def left() -> Iterator[psutil.Process]:
    """A process that a killed run, `torn`, has left."""
    process = subprocess.Popen(["sleep", "600"], env={RUN_VARIABLE: "torn"}, start_new_session=True)
    try:
        yield psutil.Process(process.pid)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def folder(path: Path) -> bytes:
    """The journal's line on a folder, which is made."""
    path.mkdir()
    return msgspec.json.encode(supervisor.Undo(supervisor.boot_id(), folder=str(path))) + b"\n"


def heal() -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "shaketable.cli", "heal"], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "torn",
    [b'{"boot":"x","fold', b'{"boot":"\xff"}\n', b"\0\0\0\n", b'{"boot":7}\n', b"[]\n", b"redis://:secret@127.0.0.1"],
)
def test_line_that_is_none_hinders_no_other_and_no_other_run_and_is_told(
    torn: bytes, tmp_path: Path, left: psutil.Process
) -> None:
    first, last, other = (tmp_path / name for name in ("first", "last", "other"))
    journal = supervisor.journals() / "torn.jsonl"
    journal.write_bytes(folder(first) + torn + folder(last))
    (supervisor.journals() / "zzz.jsonl").write_bytes(folder(other))
    done = heal()
    assert (done.returncode, done.stderr) == (255, "")
    assert all_gone([left.pid], 1)
    assert not any(path.exists() for path in (first, last, other))
    assert "an unreadable line of" in done.stdout
    assert "secret" not in done.stdout
    assert journal.read_bytes() == torn.removesuffix(b"\n") + b"\n"


def test_journal_that_cannot_be_opened_hinders_no_other(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (supervisor.journals() / "aaa.jsonl").symlink_to(tmp_path / "elsewhere")
    (supervisor.journals() / "zzz.jsonl").write_bytes(folder(tmp_path / "other"))
    done = heal()
    assert (done.returncode, done.stderr) == (255, "")
    assert "aaa: NOT healed" in done.stdout
    assert not (tmp_path / "other").exists()


def test_line_that_the_disk_takes_in_part_is_an_error_and_leaves_no_part(tmp_path: Path) -> None:
    with closing(supervisor.Supervisor(f"test-full-{os.getpid()}")) as mine:
        mine.folder(tmp_path / "first")
        journal = supervisor.journals() / f"test-full-{os.getpid()}.jsonl"
        before, limits = journal.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))  # as a disk with 20 bytes left
        try:
            with pytest.raises(HarnessError, match=r"undo journal .* cannot be written: File too large"):
                mine.folder(tmp_path / "second")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert journal.read_bytes() == before
        mine.folder(tmp_path / "third")
        assert journal.read_bytes().count(b"\n") == 2
