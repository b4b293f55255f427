"""A disk that is full, slow or failing, and a library that cannot be relied on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from shaketable.errors import HarnessError
from shaketable.stack.disk_shim import journal
from shaketable.stack.disk_shim.disk import Disk
from tests.stack.disk_shim.conftest import Write


def test_full_disk_refuses_only_writes_that_need_space(write: Write, disk: Disk, root: Path) -> None:
    write("open f - write a 10")
    disk.fill(True)
    assert write("open f - pwrite b 10 0 pwrite c 1 10 fallocate 20") == ["pwrite: ENOSPC", "fallocate: ENOSPC"]
    assert (root / "f").read_bytes() == b"b" * 10
    assert disk.counters().refused == 2
    disk.fill(False)
    assert write("open f - pwrite c 1 10") == []


def test_failing_disk_fails_syncs_and_covers_nothing(write: Write, disk: Disk, root: Path) -> None:
    disk.fail(True)
    assert write("open f - write a 10 fsync fdatasync open g d write b 10") == [
        "fsync: EIO",
        "fdatasync: EIO",
        "write: EIO",
    ]
    assert disk.counters().failed == 3
    disk.lose_power()
    assert (root / "f").read_bytes() == b""


def test_slow_disk_delays_each_sync(write: Write, disk: Disk) -> None:
    disk.slow(150)
    began = time.monotonic()
    assert write("open f - write a 10 fsync write a 10 fdatasync") == []
    assert time.monotonic() - began >= 0.3
    assert disk.counters().delayed == 2
    disk.slow(0)
    write("open f - fsync")
    assert disk.counters().delayed == 2


def test_library_that_saw_nothing_is_a_problem(disk: Disk) -> None:
    assert "saw no write" in disk.problem()


def test_library_that_cannot_write_its_journal_says_so_and_does_not_disturb_the_server(
    write: Write, disk: Disk, root: Path
) -> None:
    inode = (root / "f").write_bytes(b"") or (root / "f").stat().st_ino
    (root.with_name("disk") / str(inode)).mkdir()  # no journal can be opened there
    assert write("open f - write a 10 fsync") == []
    assert (root / "f").read_bytes() == b"a" * 10
    assert "the disk library failed" in disk.problem()


def test_damaged_journal_is_the_harness_s_failure() -> None:
    with pytest.raises(HarnessError, match="damaged"):
        journal.uncovered(b"x" * 100)


def test_last_record_that_is_not_whole_counts_as_no_write() -> None:
    whole = journal._HEAD.pack(journal._MAGIC, journal._WRITTEN, 0, 4, 4) + b"abcd"
    assert len(journal.uncovered(whole)) == 1
    assert journal.uncovered(whole[:-1]) == []
    assert journal.uncovered(whole[:20]) == []
