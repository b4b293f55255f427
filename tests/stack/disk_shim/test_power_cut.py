"""Which bytes a power cut leaves: those that a sync covered, and no others."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from shaketable.stack.disk_shim.disk import _COUNTERS, _STATE, Disk
from shaketable.stack.disk_shim.journal import PAGE
from tests.stack.disk_shim.conftest import Write

#: Steps on one new file `f`, and its content after a power cut.
CASES = {
    "nothing synced": ("open f - write a 10", b""),
    "synced": ("open f - write a 10 fsync", b"a" * 10),
    "synced by fdatasync": ("open f - write a 10 fdatasync", b"a" * 10),
    "appended after the sync": ("open f a write a 10 fsync write b 5", b"a" * 10),
    "overwritten after the sync": ("open f - write a 10 fsync pwrite b 4 3", b"a" * 10),
    "overwritten twice": ("open f - write a 10 fsync pwrite b 4 3 pwrite c 9 0", b"a" * 10),
    "overwritten, then synced": ("open f - write a 10 fsync pwrite b 4 3 fsync pwrite c 2 0", b"aaabbbbaaa"),
    "overwritten by a descriptor that cannot read": ("open f w write a 10 fsync pwrite b 10 0", b"a" * 10),
    "pwritev": ("open f - write a 10 fsync pwritev b 6 2", b"a" * 10),
    "longer than a record": ("open f - write a 300000 fsync pwrite b 200000 50000", b"a" * 300000),
    "beyond the end": ("open f - write a 10 fsync pwrite b 4 100", b"a" * 10),
    "O_DSYNC": ("open f d write a 10", b"a" * 10),
    "shortened": ("open f - write a 10 fsync ftruncate 4", b"aaaa"),
    "written, then shortened": ("open f - write a 10 fsync pwrite b 10 0 ftruncate 4", b"aaaa"),
    "shortened by name": ("open f - write a 10 fsync pwrite b 10 0 truncate f 4", b"aaaa"),
    "written, truncated, written": ("open f - write a 9000 fsync pwrite b 5 8000 open f t write c 3", b""),
    "preallocated": ("open f - fallocate 10 write a 4", b"\0" * 10),
}


@pytest.mark.parametrize("case", CASES)
def test_power_cut_leaves_what_was_synced(case: str, write: Write, disk: Disk, root: Path) -> None:
    steps, left = CASES[case]
    assert write(steps) == []
    disk.lose_power()
    assert (root / "f").read_bytes() == left
    assert not disk.problem()


def test_without_a_power_cut_every_write_stays(write: Write, root: Path) -> None:
    write("open f - write a 10 fsync pwrite b 4 3")
    assert (root / "f").read_bytes() == b"aaabbbbaaa"


def test_descriptor_of_one_process_is_synced_by_another(write: Write, disk: Disk, root: Path) -> None:
    write("open f - write a 10")
    write("open f - fsync")
    disk.lose_power()
    assert (root / "f").read_bytes() == b"a" * 10


def test_file_that_was_renamed_without_a_sync_is_empty(write: Write, disk: Disk, root: Path) -> None:
    write("open new - write b 10 open old - write a 10 fsync rename new old")
    disk.lose_power()
    assert {path.name: path.read_bytes() for path in root.iterdir()} == {"old": b""}


@pytest.mark.parametrize("remove", ["unlink", "remove"])
def test_inode_that_is_used_again_does_not_take_over_the_writes_of_a_removed_file(
    remove: str, write: Write, disk: Disk, root: Path
) -> None:
    for number in range(20):  # the kernel hands the inode out again at once, or soon
        write(f"open gone{number} - write a 10 {remove} gone{number} open f{number} - write b 10 fsync")
    disk.lose_power()
    assert {path.read_bytes() for path in root.iterdir()} == {b"b" * 10}


def test_writes_before_the_disk_settled_are_durable(write: Write, disk: Disk, root: Path) -> None:
    write("open f a write a 10")
    disk.settle()
    write("open f a write b 10")
    disk.lose_power()
    assert (root / "f").read_bytes() == b"a" * 10


def test_second_power_cut_undoes_only_later_writes(write: Write, disk: Disk, root: Path) -> None:
    write("open f a write a 10 fsync write b 10")
    assert disk.lose_power().writes == 1
    write("open f a write c 10 fsync write d 10")
    assert disk.lose_power().writes == 1
    assert (root / "f").read_bytes() == b"a" * 10 + b"c" * 10


def test_each_write_that_its_writer_synced_survives_the_others(
    writer: Path, write: Write, disk: Disk, root: Path
) -> None:
    started = [
        subprocess.Popen(
            [writer, *f"open f a wait go threads {letters} 200 write {letters[0].upper()} 100".split()],
            cwd=root,
            env={**os.environ, **disk.environment},
        )
        for letters in ("abc", "def")
    ]
    (root / "go").touch()
    assert [child.wait(60) for child in started] == [0, 0]
    write("open f a write Z 100")
    disk.lose_power()
    left = (root / "f").read_bytes()
    records = [left[at : at + 100] for at in range(0, len(left), 100)]
    assert {bytes(set(record)) for record in records} - {b"A", b"D"} == {bytes([letter]) for letter in b"abcdef"}
    assert [records.count(bytes([letter]) * 100) for letter in b"abcdefZ"] == [200] * 6 + [0]
    assert not disk.problem()


def test_sync_covers_only_what_was_written_before_it_began(writer: Path, write: Write, disk: Disk, root: Path) -> None:
    disk.slow(500)
    first = subprocess.Popen(
        [writer, *["open", "f", "a", "write", "a", "10", "fsync"]], cwd=root, env={**os.environ, **disk.environment}
    )
    while not disk.counters().delayed:
        time.sleep(0.001)
    disk.slow(0)
    write("open f a fsync write b 10 write c 10")  # the first one's sync is still under way
    assert first.wait(60) == 0
    disk.lose_power()
    assert (root / "f").read_bytes() == b"a" * 10


def test_write_that_waited_for_another_one_undoes_only_itself(
    writer: Path, write: Write, disk: Disk, root: Path
) -> None:
    write("open f a fsync open g - write a 1")
    lock = ctypes.byref(ctypes.c_char.from_buffer(disk._control, _STATE.size + _COUNTERS.size))
    ctypes.CDLL(None).pthread_mutex_lock(lock)
    waiting = subprocess.Popen(
        [writer, *["open", "f", "a", "write", "a", "10"]], cwd=root, env={**os.environ, **disk.environment}
    )
    while disk.counters().writes < 2:
        time.sleep(0.001)
    (root / "f").write_bytes(b"b" * 10)  # the other one's, synced
    ctypes.CDLL(None).pthread_mutex_unlock(lock)
    assert waiting.wait(60) == 0
    assert (root / "f").read_bytes() == b"b" * 10 + b"a" * 10
    disk.lose_power()
    assert (root / "f").read_bytes() == b"b" * 10


def test_files_elsewhere_are_left_alone(write: Write, disk: Disk, root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    write("open f - write a 10", cwd=tmp_path / "elsewhere")
    assert disk.lose_power().writes == 0
    assert (tmp_path / "elsewhere" / "f").read_bytes() == b"a" * 10
    assert disk.counters().writes == 0


def test_torn_write_leaves_whole_pages_old_or_new_and_the_same_ones_for_a_seed(
    write: Write, disk: Disk, root: Path
) -> None:
    seen = []
    for seed in (1, 1, 2):
        write(f"open f - pwrite a {64 * PAGE} 0 fsync pwrite b {64 * PAGE} 0")
        disk.lose_power(seed)
        left = (root / "f").read_bytes()
        pages = [left[at : at + PAGE] for at in range(0, len(left), PAGE)]
        assert {bytes(set(page)) for page in pages} == {b"a", b"b"}
        seen.append(left)
    assert seen[0] == seen[1] != seen[2]


def test_torn_append_leaves_a_part_from_its_beginning(write: Write, disk: Disk, root: Path) -> None:
    lengths = set()
    for seed in range(8):
        (root / "f").unlink(missing_ok=True)
        write(f"open f a write a 100 fsync write b {8 * PAGE}")
        undone = disk.lose_power(seed)
        left = (root / "f").read_bytes()
        assert (undone.writes, undone.files) == ((1, 1) if len(left) < 100 + 8 * PAGE else (0, 0))
        assert left[:100] == b"a" * 100
        assert set(left[100:]) <= {ord("b")}
        lengths.add(len(left))
    assert len(lengths) > 1


def test_server_killed_while_it_writes_leaves_journals_that_can_be_undone(writer: Path, disk: Disk, root: Path) -> None:
    steps = ["open", "f", "a", "write", "a", "100", "fsync", "mark", "ready"] + ["write", "b", "1000"] * 4000
    child = subprocess.Popen([writer, *steps], cwd=root, env={**os.environ, **disk.environment})
    while not (root / "ready").exists():
        time.sleep(0.001)
    child.send_signal(signal.SIGKILL)
    child.wait()
    disk.lose_power()
    assert (root / "f").read_bytes() == b"a" * 100
    assert not disk.problem()
