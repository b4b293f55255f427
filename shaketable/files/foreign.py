"""Files that somebody else wrote: a stranger's run directory, what a target left. Every read is bounded.

Only a regular file is read, never a pipe, a device or (inside a folder that is not ours) a link. Opening one never
waits, and no more than a stated number of bytes is taken, whatever the file's size says.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

#: Bytes of one JSON document, such as verdict.json: decoded they may take forty times as much memory.
DOCUMENT = 8 << 20
#: Bytes of one line of JSON; an event of the hostile mix has at most a few million.
LINE = 16 << 20
#: Bytes of one file of JSON lines: a run of a million events writes a fifth of that.
LINES = 4 << 30
#: Bytes of the end of a log that an error message may be taken from.
TAIL = 64 << 10


class Refused(OSError):
    """A file that is not read: no regular file, or a larger one than what is read of its kind."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(errno.EINVAL, why, str(path))


def opened(path: Path, most: int, *, follow: bool = False) -> BinaryIO:
    """Open a regular file of at most `most` bytes. Raises OSError, of which Refused is one; never waits."""
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
    """All of a regular file. Raises OSError, of which Refused is one, also for a file that grows beyond `most`."""
    with opened(path, most, follow=follow) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise Refused(path, f"expected at most {most:,} bytes, got more")
    return found


def text(path: Path, most: int = DOCUMENT) -> str:
    """All of a regular file, or of the one that a link leads to, as UTF-8. Raises OSError and UnicodeDecodeError."""
    return read(path, most, follow=True).decode()


def lines(path: Path, most: int = LINES, longest: int = LINE) -> Iterator[bytes]:
    """The lines of a regular file with their ends; the last may lack it. Raises OSError, of which Refused is one."""
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
    """Whole lines, about `size` bytes at a time; a torn last line is none. Raises OSError, of which Refused is one."""
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
    """The last lines of a log, whatever bytes it holds; none of one that is not there or no regular file."""
    try:
        with opened(path, most=1 << 62) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            return file.read(TAIL).decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "pipe", stat.S_IFDIR: "folder", stat.S_IFSOCK: "socket", stat.S_IFLNK: "link"}
    return kinds.get(stat.S_IFMT(mode), "device")
