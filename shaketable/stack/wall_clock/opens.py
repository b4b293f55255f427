"""How often files are opened, by inotify: the library opens a clock's file in order to read it."""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from pathlib import Path

from shaketable.errors import HarnessError

#: Of inotify(7): a file was opened; and the head of an event, which is followed by `len` bytes of a name.
IN_OPEN, _EVENT = 0x20, struct.Struct("iIII")
_BUFFER = 1 << 16


class Opens:
    """Counts the openings of one file in each of several folders; others in the folder do not count."""

    def __init__(self, name: str) -> None:
        self._name, self._counts, self._lock = name, dict[int, int](), threading.Lock()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def watch(self, folder: Path) -> int:
        """Begin to count in a folder; returns its key. Raises HarnessError when the kernel refuses."""
        key = self._checked(self._libc.inotify_add_watch(self._fd, os.fsencode(folder), IN_OPEN))
        self._counts[key] = 0
        return key

    def count(self, key: int) -> int:
        """The openings of the file in the folder of this key, since it is watched."""
        with self._lock:
            self._read()
            return self._counts[key]

    def close(self) -> None:
        """Count no more."""
        os.close(self._fd)

    def _read(self) -> None:
        while events := self._events():
            begin = 0
            while begin < len(events):
                key, _, _, length = _EVENT.unpack_from(events, begin)
                begin += _EVENT.size + length
                if events[begin - length : begin].rstrip(b"\0") == os.fsencode(self._name) and key in self._counts:
                    self._counts[key] += 1

    def _events(self) -> bytes:
        try:
            return os.read(self._fd, _BUFFER)
        except BlockingIOError:
            return b""

    def _checked(self, answer: int) -> int:
        if answer < 0:
            raise HarnessError(f"inotify, which counts how often a clock is read: {os.strerror(ctypes.get_errno())}")
        return answer
