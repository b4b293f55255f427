"""The disk of one server: its state as the library sees it, its counters, and the power cut."""

from __future__ import annotations

import math
import mmap
import os
import shutil
import signal
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from shaketable.errors import NotPlayable
from shaketable.stack import preload
from shaketable.stack.disk_shim import journal
from shaketable.stack.disk_shim.library import NAME
from shaketable.stack.process import Child

#: struct control in shim.c: full, slow_ms, failing, broken, prepared, unused; then six counters.
_STATE, _COUNTERS = struct.Struct("=6i"), struct.Struct("=6Q")
_INT = struct.Struct("=i")
_FULL, _SLOW_MS, _FAILING, _PREPARED = 0, 4, 8, 16
_SIZE = 4096


@dataclass(frozen=True)
class Counters:
    """What the library counted since the server was created."""

    loaded: int  # processes that loaded it
    writes: int
    syncs: int
    refused: int  # writes answered with ENOSPC
    delayed: int  # syncs that waited
    failed: int  # syncs answered with EIO
    broken: int  # errno of the library's own failure, or 0


@dataclass(frozen=True)
class Undone:
    """What a power cut undid."""

    writes: int
    files: int


class Disk:
    """The disk below `root`, in front of which the library stands in each process of one server."""

    def __init__(self, folder: Path, root: Path, library: Path, user: str | None) -> None:
        if why := preload.problem(folder / NAME):
            raise NotPlayable(f"faults of a disk cannot be loaded: {why}: set TMPDIR to a folder without it")
        self._folder, self._root = folder, root
        self.child: Child | None = None  # the server's present incarnation
        self._hindered: list[tuple[float, float]] = []  # epoch seconds in which the server might end by design
        folder.mkdir(mode=0o700)
        shutil.copyfile(library, folder / NAME)  # its user cannot read the cache
        (folder / NAME).chmod(0o755)
        control = folder / "control"
        control.write_bytes(bytes(_SIZE))
        if user:
            shutil.chown(control, user)
            shutil.chown(folder, user)
        with control.open("r+b") as file:
            self._control = mmap.mmap(file.fileno(), _SIZE)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that load the library into a server."""
        return {
            "LD_PRELOAD": str(self._folder / NAME),
            "SHAKETABLE_DISK": str(self._folder),
            "SHAKETABLE_DISK_ROOT": str(self._root),
        }

    def counters(self) -> Counters:
        loaded, writes, syncs, refused, delayed, failed = _COUNTERS.unpack_from(self._control, _STATE.size)
        return Counters(loaded, writes, syncs, refused, delayed, failed, broken=_STATE.unpack_from(self._control)[3])

    def problem(self) -> str:
        """Why the library cannot be relied on; "" when it can."""
        seen = self.counters()
        if seen.broken:
            return f"the disk library failed: {os.strerror(seen.broken)}"
        if self.child is not None and self.child.poll() is None and not _maps(self.child.pid, self._folder / NAME):
            return "the disk library is not loaded: the server is statically linked, or its folder is mounted noexec"
        return "" if seen.writes else "the disk library saw no write"

    def fill(self, full: bool) -> None:
        """Refuse writes that need space with ENOSPC, or stop refusing them."""
        self._may_end(full)
        _INT.pack_into(self._control, _FULL, full)

    def slow(self, ms: int) -> None:
        """Delay each sync by so many milliseconds; 0: none."""
        _INT.pack_into(self._control, _SLOW_MS, ms)

    def fail(self, failing: bool) -> None:
        """Answer each sync with EIO, or stop doing so."""
        self._may_end(failing)
        _INT.pack_into(self._control, _FAILING, failing)

    def reset(self) -> None:
        """Neither full, nor slow, nor failing."""
        for at in (_FULL, _SLOW_MS, _FAILING):
            _INT.pack_into(self._control, at, 0)

    def settle(self) -> None:
        """Count all writes so far as durable, as after `sync` on that machine."""
        for path in self._journals():
            journal.cover(path)

    def lose_power(self, torn_seed: int | None = None) -> Undone:
        """Undo all writes that no sync has covered, or those of about half the pages; the server must be dead.

        Raises HarnessError when the library's journals cannot be read.
        """
        paths = {path.stat().st_ino: path for path in self._root.rglob("*") if path.is_file() and not path.is_symlink()}
        undone = []
        for log in self._journals():
            path, records = paths.get(int(log.name)), journal.uncovered(*journal.read(log))
            if path is not None and records:
                name = str(path.relative_to(self._root))
                survives = journal.torn(torn_seed, name) if torn_seed is not None else (lambda _: False)
                undone.append(journal.restore(path, records, survives))
            log.unlink()
        self._control[_PREPARED : _PREPARED + 4] = bytes(4)  # a killed process may have held the lock
        self._control[_STATE.size + _COUNTERS.size :] = bytes(_SIZE - _STATE.size - _COUNTERS.size)
        return Undone(sum(undone), sum(map(bool, undone)))

    def crashed(self) -> bool:
        """Whether the server ended by a signal that a fault of the library could cause."""
        return self.child is not None and self.child.poll() in (-signal.SIGSEGV, -signal.SIGBUS)

    def recovered(self) -> None:
        """The server works again: unless the disk is still broken, an end of it is one that no fault ordered."""
        full, _, failing, *_ = _STATE.unpack_from(self._control)
        if full or failing:
            return
        if self.child is not None and self.child.poll() is None:
            self.child.asked_to_end = False
        if self._hindered and self._hindered[-1][1] == math.inf:
            self._hindered[-1] = (self._hindered[-1][0], time.time())

    def was_hindered(self, at: float) -> bool:
        """Whether its processes might end by design at that time, in epoch seconds."""
        return any(begin <= at <= end for begin, end in self._hindered)

    def _may_end(self, hindered: bool) -> None:
        """A server ends by design when its disk is full or fails, until `recovered`."""
        if not hindered:
            return
        if self.child is not None:
            self.child.asked_to_end = True
        if not self._hindered or self._hindered[-1][1] != math.inf:
            self._hindered.append((time.time(), math.inf))

    def _journals(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if path.name.isdecimal()]


def _maps(pid: int, library: Path) -> bool:
    """Whether a process has the library in its memory; true for one that has ended, or has given its memory back."""
    try:
        maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return not maps or str(library) in maps
