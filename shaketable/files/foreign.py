"""Bounded reads of untrusted files: a stranger's run directory, or files that a target wrote.

Only regular files are read, never a pipe, a device or (inside an untrusted folder) a link. Opening never blocks, and
reading stops at a given number of bytes, independent of the file's reported size.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

#: Bytes of one JSON document, such as verdict.json; decoded it may take forty times as much memory.
DOCUMENT = 8 << 20
#: Bytes of one line of JSON; an event of the hostile mix has at most a few million.
LINE = 16 << 20
#: Bytes of one file of JSON lines: a run of a million events writes a fifth of that.
LINES = 4 << 30
#: Bytes at the end of a log that error messages may quote.
TAIL = 64 << 10


class Refused(OSError):
    """The file is not read: it is not a regular file, or it is too large for its kind."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(errno.EINVAL, why, str(path))


def opened(path: Path, most: int, *, follow: bool = False) -> BinaryIO:
    """Open a regular file of at most `most` bytes, without blocking. Raises OSError (also Refused)."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        fd = os.open(path, flags)
    except OSError as e:
        if e.errno == errno.ELOOP and not follow:
            raise Refused(path, "expected a regular file, got a link: copy the file that it leads to") from e
        if e.errno == errno.ENXIO:
            raise Refused(path, "expected a regular file, got a socket or a device") from e
        raise
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise Refused(path, f"expected a regular file, got a {_kind(found.st_mode)}")
        if found.st_size > most:
            raise Refused(path, f"expected at most {most:,} bytes, got {found.st_size:,}")
        return open(fd, "rb")
    except BaseException:
        os.close(fd)
        raise


def read(path: Path, most: int = DOCUMENT, *, follow: bool = False) -> bytes:
    """Read a regular file. Raises OSError (also Refused), also for a file that grows beyond `most` bytes."""
    with opened(path, most, follow=follow) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise Refused(path, f"expected at most {most:,} bytes, got more")
    return found


def text(path: Path, most: int = DOCUMENT) -> str:
    """Read a regular file as UTF-8, following links. Raises OSError and UnicodeDecodeError."""
    return read(path, most, follow=True).decode()


def lines(path: Path, most: int = LINES, longest: int = LINE) -> Iterator[bytes]:
    """The lines of a regular file with their line ends; the last may lack one. Raises OSError (also Refused)."""
    taken = 0
    with opened(path, most) as file:
        while line := file.readline(longest + 1):
            taken += len(line)
            if len(line) > longest:
                raise Refused(path, f"expected lines of at most {longest:,} bytes, got a longer one")
            if taken > most:
                raise Refused(path, f"expected at most {most:,} bytes, got more")
            yield line


def blocks(path: Path, size: int, most: int = LINES, longest: int = LINE) -> Iterator[bytes]:
    """Complete lines, about `size` bytes at a time, without an incomplete last line. Raises OSError (also Refused)."""
    rest, taken = b"", 0
    with opened(path, most) as file:
        while block := file.read(size):
            taken += len(block)
            found, newline, rest = (rest + block).rpartition(b"\n")
            if len(rest) > longest:
                raise Refused(path, f"expected lines of at most {longest:,} bytes, got a longer one")
            if taken > most:
                raise Refused(path, f"expected at most {most:,} bytes, got more")
            yield found + newline


def tail(path: Path, count: int) -> list[str]:
    """The last lines of a log, with undecodable bytes replaced; [] unless it is a regular file."""
    try:
        with opened(path, most=1 << 62) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            return file.read(TAIL).decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "pipe", stat.S_IFDIR: "folder", stat.S_IFSOCK: "socket", stat.S_IFLNK: "link"}
    return kinds.get(stat.S_IFMT(mode), "device")
