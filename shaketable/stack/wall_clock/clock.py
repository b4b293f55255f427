"""The wall clock of one process of the target and of all that it starts."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from shaketable.stack.wall_clock.library import SETTINGS
from shaketable.stack.wall_clock.opens import Opens

#: The file that holds the clock's offset.
FILE = "offset"


class WallClock:
    """A clock that is right until it is moved. It keeps its offset when the process ends and is started again."""

    def __init__(self, folder: Path, library: Path, shared: str, opens: Opens) -> None:
        folder.mkdir(mode=0o700)
        self._file, self._library, self._shared, self._opens = folder / FILE, library, shared, opens
        self._offsets, self._lock = dict[str, float](), threading.Lock()
        self._write()
        self._key = opens.watch(folder)

    @property
    def environment(self) -> dict[str, str]:
        """The variables under which a process runs by this clock."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_SHARED": self._shared,
            **SETTINGS,
        }

    @property
    def offset_s(self) -> float:
        """Seconds by which it is ahead of the machine's clock; negative: behind it."""
        with self._lock:
            return sum(self._offsets.values())

    def move(self, cause: str, seconds: float) -> None:
        """Let this cause move it by so many seconds; other causes add theirs. The process sees it within a second."""
        with self._lock:
            self._offsets[cause] = seconds
            self._write()

    def set_right(self, cause: str) -> None:
        """Take this cause's part away."""
        with self._lock:
            if self._offsets.pop(cause, None) is not None:
                self._write()

    def reads(self) -> int:
        """How often a process has read it, in all."""
        return self._opens.count(self._key)

    def without(self, pids: Iterable[int]) -> list[int]:
        """Those of these processes that run by the machine's clock, because they have not loaded the library."""
        return [pid for pid in pids if not _maps(pid, self._library)]

    def _write(self) -> None:
        """Replace the file: the library ends a process that reads an empty one."""
        part = self._file.with_suffix(".part")
        part.write_text(f"{sum(self._offsets.values()):+.6f}\n", encoding="ascii")
        part.replace(self._file)


def _maps(pid: int, library: Path) -> bool:
    try:
        maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
        return not maps or str(library) in maps  # a process that has ended, or is ending, maps nothing
    except OSError:
        return True  # it has ended, so there is nothing to see
