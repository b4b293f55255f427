"""Which ends of Postgres's processes a run holds against itself: all but a panic while the disk was broken."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from shaketable.evidence import observe
from shaketable.rundir import RunDir
from shaketable.stack.disk_shim import library
from shaketable.stack.disk_shim.disk import Disk
from shaketable.stack.stack import Stack


class OneDisk:
    """A stack whose only server is Postgres."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def disk(self, service: str) -> Disk:
        return self._disk


def line(at: float, signal: int) -> str:
    return f"{at:.6f}|12||LOG:  client backend (PID 77) was terminated by signal {signal}: Aborted\n"


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    (built := tmp_path / library.NAME).write_bytes(b"")
    return Disk(tmp_path / "disk", tmp_path, built, None)


@pytest.mark.parametrize("change", [Disk.fill, Disk.fail], ids=["full", "failing"])
def test_panic_is_excused_only_while_the_disk_was_broken(
    change: Callable[[Disk, bool], None], disk: Disk, tmp_path: Path
) -> None:
    before = time.time() - 1
    change(disk, True)
    broken = time.time()
    change(disk, False)
    still = time.time()  # the server has not recovered
    disk.recovered()
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "postgres.log"
    times = [before, broken, still, time.time() + 1]
    log.write_text("".join(line(at, 6) for at in times))
    directory, stack = RunDir(tmp_path), cast(Stack, OneDisk(disk))
    assert len(observe.restarts(directory, stack, {"postgres"})) == 2
    assert len(observe.restarts(directory, stack)) == observe.MOST_RESTARTS
    log.write_text("".join(line(at, 9) for at in times[1:3]))
    assert len(observe.restarts(directory, stack, {"postgres"})) == 2


def test_server_may_panic_until_it_recovers_from_the_last_fault(disk: Disk) -> None:
    disk.fill(True)
    disk.recovered()  # too early: the disk is full
    between = time.time()
    disk.fill(False)
    disk.recovered()
    assert disk.was_hindered(between)
    assert not disk.was_hindered(time.time() + 1)
    disk.fail(True)
    assert disk.was_hindered(time.time() + 1)
